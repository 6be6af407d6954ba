/* Locks that belong to a process: F_SETLK, with a list of the locks of each descriptor, because the
 * system lets a process acquire its own locks again. */
#include "system/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

typedef struct p3_held p3_held;
struct p3_held {
    p3_held *next;
    int fd;
    dev_t device;
    ino_t inode;
    off_t start;
};

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static p3_held *held;

static int set(int fd, off_t start, off_t len, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
    return fcntl(fd, F_SETLK, &lock);
}

/* The list is locked. */
static p3_held *find_lock(const struct stat *file, off_t start)
{
    p3_held *at = held;
    while (at != NULL &&
           (at->device != file->st_dev || at->inode != file->st_ino || at->start != start))
        at = at->next;
    return at;
}

/* Acquires a lock that no other descriptor of this process has; the list is locked. */
static int take_lock(int fd, const struct stat *file, off_t start, off_t len)
{
    p3_held *entry = malloc(sizeof *entry);
    if (entry == NULL || set(fd, start, len, F_WRLCK) != 0) {
        free(entry);
        return -1;
    }
    *entry = (p3_held){held, fd, file->st_dev, file->st_ino, start};
    held = entry;
    return 0;
}

int p3_lock_acquire(int fd, off_t start, off_t len)
{
    struct stat file;
    if (fstat(fd, &file) != 0)
        return -1;
    pthread_mutex_lock(&one_at_a_time);
    const p3_held *owner = find_lock(&file, start);
    int result = owner == NULL ? take_lock(fd, &file, start, len) : owner->fd == fd ? 0 : -1;
    if (owner != NULL && owner->fd != fd)
        errno = EAGAIN;
    pthread_mutex_unlock(&one_at_a_time);
    return result;
}

/* Removes the locks of a descriptor: one start, or all (-1). */
static void forget_locks(int fd, off_t start)
{
    pthread_mutex_lock(&one_at_a_time);
    p3_held **at = &held;
    while (*at != NULL) {
        p3_held *entry = *at;
        if (entry->fd == fd && (start < 0 || entry->start == start)) {
            *at = entry->next;
            free(entry);
        } else {
            at = &entry->next;
        }
    }
    pthread_mutex_unlock(&one_at_a_time);
}

int p3_lock_release(int fd, off_t start, off_t len)
{
    int result = set(fd, start, len, F_UNLCK);
    forget_locks(fd, start);
    return result;
}

void p3_lock_end(int fd)
{
    forget_locks(fd, -1);
}
