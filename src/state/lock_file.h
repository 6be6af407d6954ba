/* A second descriptor of the database file, for locks on its accounts.
 *
 * SQLite's locks belong to the process: closing any descriptor of the file releases them all
 * (fcntl(2)), also those that another thread needs. So a descriptor that is not needed any more is
 * kept for the next handle, and closed when no handle of this process uses the file. */
#ifndef P3_STATE_LOCK_FILE_H
#define P3_STATE_LOCK_FILE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct p3_lock_file p3_lock_file;

/* Opens it, before SQLite does; `locks` false: for a handle that takes no locks. Creates a missing
 * file with mode 0600, unless the handle takes no locks. Returns NULL with errno. */
p3_lock_file *p3_lock_file_open(const char *path, bool locks);

/* Locks an account against all other handles. Returns 0, or -1 with errno as p3_lock_acquire(). */
int p3_lock_file_acquire(p3_lock_file *f, int64_t account);
void p3_lock_file_release(p3_lock_file *f, int64_t account);

/* Its descriptor, which belongs to the handle: no other one may be closed while SQLite uses the
 * file. */
int p3_lock_file_descriptor(const p3_lock_file *f);

/* Releases its locks, after SQLite has closed the file. NULL does nothing. */
void p3_lock_file_close(p3_lock_file *f);

#endif
