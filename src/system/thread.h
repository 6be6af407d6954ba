/* Threads that signals are not for: those belong to the application's own threads. */
#ifndef P3_SYSTEM_THREAD_H
#define P3_SYSTEM_THREAD_H

#include <pthread.h>

/* Starts a thread with all signals blocked, but for SIGSYS, with which a filter of system calls may
 * have a call judged: blocked, it ends the process. With `out` NULL nobody joins it. Returns 0 or
 * the error's number. */
int p3_thread_start(pthread_t *out, void *(*run)(void *arg), void *arg);

#endif
