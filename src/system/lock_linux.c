/* Locks that belong to an open file: F_OFD_SETLK. */
#include "system/lock.h"

#include <fcntl.h>

static int set(int fd, off_t start, off_t len, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
    return fcntl(fd, F_OFD_SETLK, &lock);
}

int p3_lock_acquire(int fd, off_t start, off_t len)
{
    return set(fd, start, len, F_WRLCK);
}

int p3_lock_release(int fd, off_t start, off_t len)
{
    return set(fd, start, len, F_UNLCK);
}

void p3_lock_end(int fd)
{
    (void)fd; /* close(2) does it */
}
