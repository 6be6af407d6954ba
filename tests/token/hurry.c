/* Preloaded, it makes time pass sixty times as fast for who waits, or as often as POP3_HURRY says:
 * the clock that does not jump, and the waits by poll(). So it shows in a second what ends after a
 * minute. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

enum { BILLION = 1000000000 };

static int faster(void)
{
    static int times;
    const char *set = times == 0 ? getenv("POP3_HURRY") : NULL;
    if (times == 0)
        times = set != NULL ? atoi(set) : 60;
    return times;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_RAW && clock != CLOCK_MONOTONIC_COARSE)
        return result;
    long long part = (long long)now->tv_nsec * faster();
    now->tv_sec = now->tv_sec * faster() + (time_t)(part / BILLION);
    now->tv_nsec = (long)(part % BILLION);
    return result;
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    static int (*real)(struct pollfd *, nfds_t, int);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "poll");
    return real(fds, count, timeout > 0 ? (timeout + faster() - 1) / faster() : timeout);
}
