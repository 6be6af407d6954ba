/* Locks on parts of a file, against other processes and other descriptors of this one. */
#ifndef P3_SYSTEM_LOCK_H
#define P3_SYSTEM_LOCK_H

#include <sys/types.h>

/* Locks octets of an open file for writing; `len` 0: to its end, however far that is. Returns 0, or
 * -1 with errno: EAGAIN or EACCES when another has the lock.
 *
 * Where locks are a process's (lock_posix.c), two descriptors keep each other out when they lock
 * the same octets with the same `start`; and closing any descriptor of the file lets go of all
 * locks that the process has on it. */
int p3_lock_take(int fd, off_t start, off_t len);
int p3_lock_release(int fd, off_t start, off_t len);

/* Call this before a descriptor is closed: its locks go with it. */
void p3_lock_end(int fd);

#endif
