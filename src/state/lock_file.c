/* A second descriptor of the database file, for locks on its accounts. */
#include "state/lock_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confine/outside.h"
#include "system/lock.h"

/* Account N is locked at this octet + N: far beyond the octets that SQLite locks, which begin at 1
 * GiB. */
#define P3_LOCKS ((off_t)1 << 40)

/* A file that handles of this process use. */
typedef struct p3_shared_file p3_shared_file;
struct p3_shared_file {
    p3_shared_file *next;
    dev_t device;
    ino_t inode;
    unsigned handles;
    p3_lock_file *idle; /* descriptors that no handle uses now */
};

struct p3_lock_file {
    p3_lock_file *next; /* among those that are idle */
    p3_shared_file *file;
    int fd;        /* -1: it takes no locks */
    int64_t *held; /* accounts that it has locked */
    size_t held_count;
};

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static p3_shared_file *files; /* belongs to the process, as the locks do */

static p3_shared_file *find_lock(const struct stat *st)
{
    p3_shared_file *at = files;
    while (at != NULL && (at->device != st->st_dev || at->inode != st->st_ino))
        at = at->next;
    return at;
}

static p3_shared_file *find_or_add(const struct stat *st)
{
    p3_shared_file *file = find_lock(st);
    if (file == NULL && (file = calloc(1, sizeof *file)) != NULL) {
        *file = (p3_shared_file){.next = files, .device = st->st_dev, .inode = st->st_ino};
        files = file;
    }
    return file;
}

static void remove_unused(p3_shared_file *file)
{
    p3_shared_file **at = &files;
    if (file->handles > 0)
        return;
    while (file->idle != NULL) {
        p3_lock_file *idle = file->idle;
        file->idle = idle->next;
        (void)close(idle->fd);
        free(idle);
    }
    while (*at != file)
        at = &(*at)->next;
    *at = file->next;
    free(file);
}

/* A descriptor of the file, which is created if it does not exist. */
static int open_or_make(const char *path)
{
    int fd = p3_outside_open(path, O_RDWR | O_CLOEXEC, 0600);
    return fd < 0 && errno == ENOENT ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : fd;
}

/* An idle one, or a new one. */
static p3_lock_file *take_or_open(const char *path)
{
    struct stat st;
    p3_shared_file *file = stat(path, &st) == 0 ? find_lock(&st) : NULL;
    p3_lock_file *f = file != NULL ? file->idle : NULL;
    if (f != NULL) {
        file->idle = f->next;
        return f;
    }
    f = calloc(1, sizeof *f);
    if (f == NULL)
        return NULL;
    f->fd = open_or_make(path);
    if (f->fd >= 0 && fstat(f->fd, &st) == 0)
        f->file = find_or_add(&st);
    if (f->file != NULL)
        return f;
    int error = errno;
    if (f->fd >= 0)
        (void)close(f->fd);
    free(f);
    errno = error;
    return NULL;
}

/* For a handle that takes no locks, but uses SQLite's. */
static p3_lock_file *without_locks(const char *path)
{
    struct stat st;
    p3_lock_file *f = calloc(1, sizeof *f);
    if (f == NULL)
        return NULL;
    f->fd = -1;
    if (stat(path, &st) == 0)
        f->file = find_or_add(&st);
    if (f->file != NULL)
        return f;
    int error = errno;
    free(f);
    errno = error;
    return NULL;
}

p3_lock_file *p3_lock_file_open(const char *path, bool locks)
{
    (void)pthread_mutex_lock(&one_at_a_time);
    p3_lock_file *f = locks ? take_or_open(path) : without_locks(path);
    if (f != NULL) {
        f->next = NULL;
        f->file->handles++;
    }
    (void)pthread_mutex_unlock(&one_at_a_time);
    return f;
}

int p3_lock_file_acquire(p3_lock_file *f, int64_t account)
{
    int64_t *held = realloc(f->held, (f->held_count + 1) * sizeof *held);
    if (held == NULL)
        return -1;
    f->held = held;
    if (p3_lock_acquire(f->fd, P3_LOCKS + (off_t)account, 1) != 0)
        return -1;
    held[f->held_count++] = account;
    return 0;
}

void p3_lock_file_release(p3_lock_file *f, int64_t account)
{
    size_t kept = 0;
    (void)p3_lock_release(f->fd, P3_LOCKS + (off_t)account, 1);
    for (size_t i = 0; i < f->held_count; i++) {
        if (f->held[i] != account)
            f->held[kept++] = f->held[i];
    }
    f->held_count = kept;
}

int p3_lock_file_descriptor(const p3_lock_file *f)
{
    return f->fd;
}

void p3_lock_file_close(p3_lock_file *f)
{
    if (f == NULL)
        return;
    while (f->held_count > 0)
        p3_lock_file_release(f, f->held[f->held_count - 1]);
    free(f->held);
    f->held = NULL;
    (void)pthread_mutex_lock(&one_at_a_time);
    p3_shared_file *file = f->file;
    file->handles--;
    if (f->fd >= 0) {
        p3_lock_end(f->fd);
        f->next = file->idle;
        file->idle = f;
    } else {
        free(f);
    }
    remove_unused(file);
    (void)pthread_mutex_unlock(&one_at_a_time);
}
