/* Threads that receive no signals: those belong to the application's own threads. */
#ifndef P3_SYSTEM_THREAD_H
#define P3_SYSTEM_THREAD_H

#include <pthread.h>

/* Starts a thread with all signals blocked except SIGSYS, by which a filter of system calls may
 * have a call emulated: if it is blocked, the process ends. With `out` NULL the thread is detached.
 * Returns 0 or an errno. */
int p3_thread_start(pthread_t *out, void *(*run)(void *arg), void *arg);

#endif
