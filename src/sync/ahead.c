/* Files that are made before they are needed. */
#include "sync/ahead.h"

#include <fcntl.h>
#include <unistd.h>

/* In place of a descriptor. */
enum { P3_AHEAD_NONE = -1, P3_AHEAD_UNDER_WAY = -2 };

void p3_ahead_init(p3_ahead *a, int folder)
{
    *a = (p3_ahead){.folder = folder};
    pthread_mutex_init(&a->mutex, NULL);
    pthread_cond_init(&a->made, NULL);
}

void p3_ahead_expect(p3_ahead *a, const p3_name_list *names, size_t count)
{
    pthread_mutex_lock(&a->mutex);
    a->names = names;
    a->count = count;
    pthread_mutex_unlock(&a->mutex);
}

static int make(const p3_ahead *a, const char *name)
{
    return openat(a->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

static int *slot(p3_ahead *a, size_t i)
{
    return &a->made_fds[i % P3_AHEAD_MOST];
}

/* Takes the file number a->first, if it was made or is being made; the mutex is held. */
static int take_first(p3_ahead *a)
{
    int fd = P3_AHEAD_NONE;
    if (a->first < a->next) {
        while (*slot(a, a->first) == P3_AHEAD_UNDER_WAY)
            pthread_cond_wait(&a->made, &a->mutex);
        fd = *slot(a, a->first);
    }
    a->first++;
    if (a->next < a->first)
        a->next = a->first;
    return fd;
}

/* Removes the next file if it was made; the mutex is held. */
static void leave_out_first(p3_ahead *a)
{
    const char *name = p3_name_list_at(a->names, a->first);
    int fd = take_first(a);
    if (fd < 0)
        return;
    (void)close(fd);
    (void)unlinkat(a->folder, name, 0); /* an intent is recorded for it, and settled otherwise */
}

int p3_ahead_open(p3_ahead *a, const char *name)
{
    int fd = P3_AHEAD_NONE;
    pthread_mutex_lock(&a->mutex);
    size_t i = a->first;
    while (i < a->count && p3_name_list_at(a->names, i) != name)
        i++;
    if (i < a->count) {
        while (a->first < i)
            leave_out_first(a);
        fd = take_first(a);
    }
    pthread_mutex_unlock(&a->mutex);
    return fd >= 0 ? fd : make(a, name); /* which tells why it cannot be made */
}

void p3_ahead_make(p3_ahead *a)
{
    pthread_mutex_lock(&a->mutex);
    size_t i = a->next;
    if (i < a->count && i - a->first < P3_AHEAD_MOST) {
        a->next++;
        *slot(a, i) = P3_AHEAD_UNDER_WAY;
        const char *name = p3_name_list_at(a->names, i);
        pthread_mutex_unlock(&a->mutex);
        int fd = make(a, name);
        pthread_mutex_lock(&a->mutex);
        *slot(a, i) = fd >= 0 ? fd : P3_AHEAD_NONE;
        pthread_cond_signal(&a->made);
    }
    pthread_mutex_unlock(&a->mutex);
}

void p3_ahead_end(p3_ahead *a)
{
    while (a->first < a->next)
        leave_out_first(a);
    pthread_cond_destroy(&a->made);
    pthread_mutex_destroy(&a->mutex);
}
