/* Preloaded, it makes time pass sixty times as fast for a process that waits, or as often as
 * POP3_HURRY says: the clock that does not jump, and the waits by poll(). So it shows in a second
 * what ends after a minute. With POP3_HURRY_FILE it is this file that says how fast time passes
 * now, and may say it anew while the process runs: see hurry.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
    BILLION = 1000000000,
    MILLION = 1000000,
    SLICE = 20 /* ms, until poll() looks at the file again */
};

/* Since `real`, when it was `then` for the process, time has passed so many times as fast; in
 * nanoseconds. */
struct pace {
    int64_t real, then, times;
};

/* What the file has: a row is written once, and counts when `last` says so. */
struct paces {
    int64_t last;
    struct pace row[];
};

static const struct paces *paces; /* NULL without a file */
static struct pace always = {0, 0, 60};

static int (*real_clock)(clockid_t, struct timespec *);
static int (*real_poll)(struct pollfd *, nfds_t, int);

__attribute__((constructor)) static void begin(void)
{
    *(void **)&real_clock = dlsym(RTLD_NEXT, "clock_gettime");
    *(void **)&real_poll = dlsym(RTLD_NEXT, "poll");
    const char *set = getenv("POP3_HURRY");
    const char *path = getenv("POP3_HURRY_FILE");
    if (set != NULL)
        always.times = atoi(set);
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    off_t size = lseek(fd, 0, SEEK_END);
    void *mapped = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
    if (mapped != MAP_FAILED)
        paces = mapped;
    (void)close(fd);
}

static const struct pace *pace(void)
{
    return paces != NULL ? &paces->row[__atomic_load_n(&paces->last, __ATOMIC_ACQUIRE)] : &always;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (real_clock == NULL)
        begin(); /* another library's constructor came first */
    const struct pace *p = pace();
    int result = real_clock(clock, now);
    if (result != 0 || (clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_RAW &&
                        clock != CLOCK_MONOTONIC_COARSE))
        return result;
    int64_t time = p->then + (now->tv_sec * (int64_t)BILLION + now->tv_nsec - p->real) * p->times;
    now->tv_sec = (time_t)(time / BILLION);
    now->tv_nsec = (long)(time % BILLION);
    return 0;
}

static int64_t milliseconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * (int64_t)1000 + now.tv_nsec / MILLION;
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    if (real_poll == NULL)
        begin();
    int64_t end = timeout > 0 ? milliseconds() + timeout : 0;
    for (int64_t left = timeout; left > 0; left = end - milliseconds()) {
        int64_t times = pace()->times;
        int64_t wait = (left + times - 1) / times;
        int found = real_poll(fds, count, (int)(paces != NULL && wait > SLICE ? SLICE : wait));
        if (found != 0)
            return found;
    }
    return real_poll(fds, count, timeout < 0 ? timeout : 0);
}
