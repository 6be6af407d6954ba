/* The database file once more, for locks on the accounts in it.
 *
 * SQLite's own locks are the process's: closing any descriptor of the file lets go of them all
 * (fcntl(2)), also of those that another thread relies on. So a descriptor that is not needed any
 * more is kept for the next handle, and closed when no handle of this process has the file. */
#ifndef P3_STATE_LOCK_FILE_H
#define P3_STATE_LOCK_FILE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct p3_lock_file p3_lock_file;

/* Opens it, before SQLite does; `locks` false: for a handle that takes no locks. One that is not
 * there is made for its owner alone, unless the handle takes no locks. Returns NULL with errno. */
p3_lock_file *p3_lock_file_open(const char *path, bool locks);

/* Locks an account against all other handles. Returns 0, or -1 with errno as p3_lock_take(). */
int p3_lock_file_take(p3_lock_file *f, int64_t account);
void p3_lock_file_release(p3_lock_file *f, int64_t account);

/* Its descriptor, the handle's own: no other one must be closed while SQLite has the file. */
int p3_lock_file_descriptor(const p3_lock_file *f);

/* Lets go of its locks, after SQLite has closed the file. NULL does nothing. */
void p3_lock_file_close(p3_lock_file *f);

#endif
