/* Work outside the thread that owns the network. */
#include "collect/jobs.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "system/descriptor.h"
#include "system/thread.h"

typedef struct p3_job_thread p3_job_thread;

struct p3_jobs {
    pthread_mutex_t mutex;
    pthread_cond_t idle;
    unsigned running;     /* threads started by p3_jobs_start() */
    p3_job_thread *ended; /* threads that have ended, to be joined */
    p3_job *first;        /* completed jobs, in order */
    p3_job **last;
    int ends[2]; /* a pipe that contains an octet while there are completed jobs */
};

struct p3_job_thread {
    p3_job_thread *next;
    p3_jobs *jobs;
    p3_job *job;
    pthread_t thread;
};

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

/* Joins threads, so that their libraries' thread data is freed before the process ends or the
 * library is unloaded. */
static void join_all(p3_job_thread *ended)
{
    while (ended != NULL) {
        p3_job_thread *next = ended->next;
        (void)pthread_join(ended->thread, NULL);
        free(ended);
        ended = next;
    }
}

void p3_jobs_free(p3_jobs *j)
{
    if (j == NULL)
        return;
    pthread_mutex_lock(&j->mutex);
    while (j->running > 0)
        pthread_cond_wait(&j->idle, &j->mutex);
    pthread_mutex_unlock(&j->mutex);
    join_all(j->ended);
    pthread_cond_destroy(&j->idle);
    pthread_mutex_destroy(&j->mutex);
    (void)close(j->ends[0]);
    (void)close(j->ends[1]);
    free(j);
}

/* Adds a completed job; the mutex is held. */
static void add_over(p3_jobs *j, p3_job *job)
{
    if (j->first == NULL) {
        ssize_t n = write(j->ends[1], "", 1);
        (void)n; /* the pipe is empty and its other end is open: it cannot fail */
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

static void *run_jobs(void *arg)
{
    p3_job_thread *t = arg;
    p3_jobs *j = t->jobs;
    t->job->run(t->job);
    pthread_mutex_lock(&j->mutex);
    add_over(j, t->job);
    t->next = j->ended;
    j->ended = t;
    j->running--;
    pthread_cond_broadcast(&j->idle);
    pthread_mutex_unlock(&j->mutex);
    return NULL;
}

bool p3_jobs_start(p3_jobs *j, p3_job *job)
{
    p3_job_thread *t = malloc(sizeof *t);
    if (t == NULL)
        return false;
    *t = (p3_job_thread){.jobs = j, .job = job};
    pthread_mutex_lock(&j->mutex);
    int error = p3_thread_start(&t->thread, run_jobs, t);
    if (error == 0)
        j->running++;
    pthread_mutex_unlock(&j->mutex);
    if (error != 0) {
        free(t);
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
        (void)n; /* the octet is in the pipe */
    }
    p3_job_thread *ended = j->ended;
    j->ended = NULL;
    j->first = NULL;
    j->last = &j->first;
    pthread_mutex_unlock(&j->mutex);
    join_all(ended);
    while (job != NULL) {
        p3_job *next = job->next;
        job->over(job);
        job = next;
    }
}
