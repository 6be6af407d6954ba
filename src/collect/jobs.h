/* Work that waits for something slow (the disk, another program), done outside the thread that owns
 * the network, which is told through a descriptor it can poll. */
#ifndef P3_COLLECT_JOBS_H
#define P3_COLLECT_JOBS_H

#include <stdbool.h>

typedef struct p3_job p3_job;
struct p3_job {
    p3_job *next;
    void (*run)(p3_job *job);  /* in a thread of its own */
    void (*over)(p3_job *job); /* afterwards, in the thread that reaps; may free the job */
};

typedef struct p3_jobs p3_jobs;

/* Returns NULL, with errno, when it cannot be made. */
p3_jobs *p3_jobs_new(void);

/* Waits for the jobs that run, without telling their end. */
void p3_jobs_free(p3_jobs *j);

/* Runs a job in a thread. Returns false, with errno, when there is no thread to be had. */
bool p3_jobs_start(p3_jobs *j, p3_job *job);

/* Says from any thread that a job is over. */
void p3_jobs_post(p3_jobs *j, p3_job *job);

/* Readable when jobs are over. */
int p3_jobs_fd(const p3_jobs *j);

/* Calls over() for each job that is. */
void p3_jobs_reap(p3_jobs *j);

#endif
