/* Files in a folder that are made before they are needed: to make one is the larger part of what a
 * small message costs. By a thread that has time, for one that has none, as two threads that both
 * work in one folder wait for each other; or by the latter, when it waits for the line. */
#ifndef P3_DELIVER_AHEAD_H
#define P3_DELIVER_AHEAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "deliver/names.h"

/* Most files that are made and not taken yet; so many descriptors are open. All folders together
 * have twice as many, or a quarter of what the process may open. */
#define P3_AHEAD_MOST 256

typedef struct p3_ahead {
    int folder;
    const p3_name_list *names; /* of the files that will be needed, in this order; not owned */
    atomic_size_t count;
    atomic_size_t first; /* the first that nobody has asked for; only who takes moves it */
    atomic_size_t next;  /* the first that nobody has begun to make */
    atomic_int slots[P3_AHEAD_MOST];
    atomic_bool sleeps; /* who takes waits for `made` */
    pthread_mutex_t mutex;
    pthread_cond_t made;
} p3_ahead;

/* Files are made in `folder`, a descriptor that stays the caller's. */
void p3_ahead_init(p3_ahead *a, int folder);

/* The first `count` of these names will be needed, in this order, although some may be left out.
 * Said again, it is with more names of the same list, which lives until p3_ahead_end(). */
void p3_ahead_expect(p3_ahead *a, const p3_name_list *names, size_t count);

/* A file of this name, open for writing: one that was made already, if the name is one of those
 * expected, or else made now. Files whose names were left out are removed. Returns -1 with errno
 * when it cannot be made. */
int p3_ahead_open(p3_ahead *a, const char *name);

/* Makes the next file, unless all are made or `most` are waiting, P3_AHEAD_MOST at most. Returns
 * whether it did. In any thread. */
bool p3_ahead_make(p3_ahead *a, size_t most);

/* Removes the files that nobody has taken. No other thread is at work. */
void p3_ahead_end(p3_ahead *a);

#endif
