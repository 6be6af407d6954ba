/* Locks an mbox as other mail programs do: a dotlock file beside it, and fcntl(2). */
#ifndef P3_DELIVER_MBOX_LOCK_H
#define P3_DELIVER_MBOX_LOCK_H

#include "support/problem.h"

typedef struct p3_mbox_lock {
    char *dotlock; /* its path */
    int fd;        /* the mbox, open for reading and writing */
} p3_mbox_lock;

/* Opens the mbox, creating it if needed, and locks it. Waits up to a minute for other programs. */
bool p3_mbox_lock_acquire(p3_mbox_lock *l, const char *path, p3_problem *why);
void p3_mbox_lock_release(p3_mbox_lock *l);

/* Removes our dotlock, or the file that was to become one, if the run that created it has ended:
 * `file` is beside the mbox `path`. */
void p3_mbox_lock_tidy(const char *path, const char *file);

#endif
