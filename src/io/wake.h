/* A flag that another thread or a signal handler can raise, with a descriptor that becomes
 * readable. */
#ifndef P3_IO_WAKE_H
#define P3_IO_WAKE_H

#include <stdatomic.h>
#include <stdbool.h>

typedef struct p3_wake {
    int ends[2]; /* a pipe: readable while the flag is raised */
    atomic_bool raised;
} p3_wake;

/* False, with errno, when no descriptors are available. p3_wake_free() closes them. */
bool p3_wake_init(p3_wake *w);
void p3_wake_free(p3_wake *w);

/* May be called from any thread and from a signal handler. Keeps errno. */
void p3_wake_raise(p3_wake *w);

bool p3_wake_is_raised(p3_wake *w);

/* Lowers the flag and empties the pipe. */
void p3_wake_clear(p3_wake *w);

#endif
