/* Files that are made before they are needed.
 *
 * The files are numbered as their names are. Who moves `next` past a number makes that file: a
 * thread that makes files ahead, or the one that takes them, where nobody has begun to. The former
 * leaves the descriptor in the number's slot. */
#include "deliver/ahead.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

/* In place of a descriptor: it is not known yet; the file could not be made. */
enum { P3_AHEAD_UNKNOWN = -2, P3_AHEAD_NONE = -1 };

/* Times to look whether a file is there by now, before sleeping until it is: to make one takes a
 * few microseconds, and to wake takes longer than that. */
#define P3_AHEAD_LOOKS 2000

/* Of all folders: files that are made and not taken yet; and most of them. */
static atomic_size_t all_made;
static size_t all_most = (size_t)2 * P3_AHEAD_MOST;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void find_most(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 4 < all_most)
        all_most = (size_t)limit.rlim_cur / 4;
}

void p3_ahead_init(p3_ahead *a, int folder)
{
    (void)pthread_once(&once, find_most);
    *a = (p3_ahead){.folder = folder};
    pthread_mutex_init(&a->mutex, NULL);
    pthread_cond_init(&a->made, NULL);
    for (size_t i = 0; i < P3_AHEAD_MOST; i++)
        atomic_init(&a->slots[i], P3_AHEAD_UNKNOWN);
}

void p3_ahead_expect(p3_ahead *a, const p3_name_list *names, size_t count)
{
    if (a->names != names)
        a->names = names; /* before the count, which makes it known */
    atomic_store(&a->count, count);
}

static int make(const p3_ahead *a, const char *name)
{
    return openat(a->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

static atomic_int *slot(p3_ahead *a, size_t i)
{
    return &a->slots[i % P3_AHEAD_MOST];
}

/* ---- who makes ---- */

bool p3_ahead_make(p3_ahead *a, size_t most)
{
    size_t i = atomic_load(&a->next);
    if (i >= atomic_load(&a->count) || i - atomic_load(&a->first) >= most ||
        atomic_load(&all_made) >= all_most || !atomic_compare_exchange_strong(&a->next, &i, i + 1))
        return false;
    int fd = make(a, p3_name_list_at(a->names, i));
    if (fd >= 0)
        atomic_fetch_add(&all_made, 1);
    atomic_store(slot(a, i), fd >= 0 ? fd : P3_AHEAD_NONE);
    if (atomic_load(&a->sleeps)) {
        pthread_mutex_lock(&a->mutex);
        pthread_cond_signal(&a->made);
        pthread_mutex_unlock(&a->mutex);
    }
    return true;
}

/* ---- who takes ---- */

static int wait_for(p3_ahead *a, atomic_int *made)
{
    for (int look = 0; look < P3_AHEAD_LOOKS; look++) {
        int fd = atomic_load(made);
        if (fd != P3_AHEAD_UNKNOWN)
            return fd;
    }
    pthread_mutex_lock(&a->mutex);
    atomic_store(&a->sleeps, true);
    while (atomic_load(made) == P3_AHEAD_UNKNOWN)
        pthread_cond_wait(&a->made, &a->mutex);
    atomic_store(&a->sleeps, false);
    pthread_mutex_unlock(&a->mutex);
    return atomic_load(made);
}

/* Takes the first file that nobody has asked for, if it was made or is being made. */
static int take_first(p3_ahead *a)
{
    size_t i = atomic_load(&a->first);
    size_t next = i;
    int fd = P3_AHEAD_NONE;
    if (!atomic_compare_exchange_strong(&a->next, &next, i + 1)) {
        fd = wait_for(a, slot(a, i));
        atomic_store(slot(a, i), P3_AHEAD_UNKNOWN); /* for one of those to come */
        if (fd >= 0)
            atomic_fetch_sub(&all_made, 1);
    }
    atomic_store(&a->first, i + 1);
    return fd;
}

/* Removes the first file that nobody has asked for, if it was made. */
static void leave_out_first(p3_ahead *a)
{
    const char *name = p3_name_list_at(a->names, atomic_load(&a->first));
    int fd = take_first(a);
    if (fd < 0)
        return;
    (void)close(fd);
    (void)unlinkat(a->folder, name, 0); /* an intent is recorded for it, and settled otherwise */
}

int p3_ahead_open(p3_ahead *a, const char *name)
{
    size_t count = atomic_load(&a->count);
    size_t i = atomic_load(&a->first);
    int fd = P3_AHEAD_NONE;
    while (i < count && p3_name_list_at(a->names, i) != name)
        i++;
    if (i < count) {
        while (atomic_load(&a->first) < i)
            leave_out_first(a);
        fd = take_first(a);
    }
    return fd >= 0 ? fd : make(a, name); /* which tells why it cannot be made */
}

void p3_ahead_end(p3_ahead *a)
{
    while (atomic_load(&a->first) < atomic_load(&a->next))
        leave_out_first(a);
    pthread_cond_destroy(&a->made);
    pthread_mutex_destroy(&a->mutex);
}
