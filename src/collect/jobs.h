/* Work that waits for something slow (the disk, another program). It is done in a thread, and its
 * end is reported to the thread that owns the network through a descriptor for poll(2). */
#ifndef P3_COLLECT_JOBS_H
#define P3_COLLECT_JOBS_H

#include <stdbool.h>

typedef struct p3_job p3_job;
struct p3_job {
    p3_job *next;
    void (*run)(p3_job *job);  /* runs in a thread */
    void (*over)(p3_job *job); /* called afterwards, in the thread that reaps; may free the job */
};

typedef struct p3_jobs p3_jobs;

/* Returns NULL, with errno, on failure. */
p3_jobs *p3_jobs_new(void);

/* Waits for running jobs, without calling over(). */
void p3_jobs_free(p3_jobs *j);

/* Runs a job in a thread. Returns false, with errno, if no thread can be created. */
bool p3_jobs_start(p3_jobs *j, p3_job *job);

/* Reports that a job has ended; callable from any thread. */
void p3_jobs_post(p3_jobs *j, p3_job *job);

/* Readable when jobs have ended. */
int p3_jobs_fd(const p3_jobs *j);

/* Calls over() of each job that has ended. */
void p3_jobs_reap(p3_jobs *j);

#endif
