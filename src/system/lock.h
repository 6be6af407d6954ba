/* Locks on parts of a file, against other processes and against other descriptors of this process.
 */
#ifndef P3_SYSTEM_LOCK_H
#define P3_SYSTEM_LOCK_H

#include <sys/types.h>

/* Locks octets of an open file for writing; `len` 0: to the end of the file, however long it gets.
 * Returns 0, or -1 with errno: EAGAIN or EACCES when another has the lock.
 *
 * If locks belong to processes (lock_posix.c), two descriptors exclude each other when they lock
 * with the same `start`; and closing any descriptor of the file releases all locks of the process
 * on it. */
int p3_lock_acquire(int fd, off_t start, off_t len);
int p3_lock_release(int fd, off_t start, off_t len);

/* Call this before a descriptor is closed, which releases its locks. */
void p3_lock_end(int fd);

#endif
