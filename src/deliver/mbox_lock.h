/* Locks an mbox as other mail programs do: a dotlock file beside it, and fcntl(2). */
#ifndef P3_DELIVER_MBOX_LOCK_H
#define P3_DELIVER_MBOX_LOCK_H

#include "support/problem.h"

typedef struct p3_mbox_lock {
    char *dotlock; /* its path */
    int fd;        /* the mbox, open for reading and writing */
} p3_mbox_lock;

/* Opens the mbox, making it when there is none, and locks it. Waits up to a minute for others. */
bool p3_mbox_lock_take(p3_mbox_lock *l, const char *path, p3_problem *why);
void p3_mbox_lock_release(p3_mbox_lock *l);

/* Removes a dotlock of ours, or the file that was to become one, if the run that made it is no
 * more: `file` is beside the mbox `path`. */
void p3_mbox_lock_tidy(const char *path, const char *file);

#endif
