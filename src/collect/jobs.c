/* Work outside the thread that owns the network. */
#include "collect/jobs.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "system/descriptor.h"
#include "system/thread.h"

struct p3_jobs {
    pthread_mutex_t mutex;
    pthread_cond_t idle;
    unsigned running; /* threads of p3_jobs_start() */
    p3_job *first;    /* over, in the order in which they ended */
    p3_job **last;
    int ends[2]; /* a pipe with one octet in it while any are over */
};

typedef struct p3_job_start {
    p3_jobs *jobs;
    p3_job *job;
} p3_job_start;

p3_jobs *p3_jobs_new(void)
{
    p3_jobs *j = calloc(1, sizeof *j);
    if (j == NULL)
        return NULL;
    if (!p3_descriptor_pipe(j->ends, false)) {
        free(j);
        return NULL;
    }
    pthread_mutex_init(&j->mutex, NULL);
    pthread_cond_init(&j->idle, NULL);
    j->last = &j->first;
    return j;
}

void p3_jobs_free(p3_jobs *j)
{
    if (j == NULL)
        return;
    pthread_mutex_lock(&j->mutex);
    while (j->running > 0)
        pthread_cond_wait(&j->idle, &j->mutex);
    pthread_mutex_unlock(&j->mutex);
    pthread_cond_destroy(&j->idle);
    pthread_mutex_destroy(&j->mutex);
    (void)close(j->ends[0]);
    (void)close(j->ends[1]);
    free(j);
}

/* Adds a job to those that are over; the mutex is held. */
static void add_over(p3_jobs *j, p3_job *job)
{
    if (j->first == NULL) {
        ssize_t n = write(j->ends[1], "", 1);
        (void)n; /* the pipe is empty, and its other end open: it cannot fail */
    }
    job->next = NULL;
    *j->last = job;
    j->last = &job->next;
}

void p3_jobs_post(p3_jobs *j, p3_job *job)
{
    pthread_mutex_lock(&j->mutex);
    add_over(j, job);
    pthread_mutex_unlock(&j->mutex);
}

static void *run(void *arg)
{
    p3_job_start s = *(p3_job_start *)arg;
    free(arg);
    s.job->run(s.job);
    pthread_mutex_lock(&s.jobs->mutex);
    add_over(s.jobs, s.job);
    s.jobs->running--;
    pthread_cond_broadcast(&s.jobs->idle);
    pthread_mutex_unlock(&s.jobs->mutex);
    return NULL;
}

bool p3_jobs_start(p3_jobs *j, p3_job *job)
{
    p3_job_start *s = malloc(sizeof *s);
    if (s == NULL)
        return false;
    *s = (p3_job_start){j, job};
    pthread_mutex_lock(&j->mutex);
    int error = p3_thread_start(NULL, run, s);
    if (error == 0)
        j->running++;
    pthread_mutex_unlock(&j->mutex);
    if (error != 0) {
        free(s);
        errno = error;
    }
    return error == 0;
}

int p3_jobs_fd(const p3_jobs *j)
{
    return j->ends[0];
}

void p3_jobs_reap(p3_jobs *j)
{
    pthread_mutex_lock(&j->mutex);
    p3_job *job = j->first;
    char octet;
    if (job != NULL) {
        ssize_t n = read(j->ends[0], &octet, 1);
        (void)n; /* it is there */
    }
    j->first = NULL;
    j->last = &j->first;
    pthread_mutex_unlock(&j->mutex);
    while (job != NULL) {
        p3_job *next = job->next;
        job->over(job);
        job = next;
    }
}
