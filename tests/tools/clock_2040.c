/* Preloaded, it puts the time of day fourteen years ahead: 2026 becomes 2040, which 32 bits of
 * seconds do not reach. Deadlines in that time are put back for the kernel; clocks that only count
 * stay as they are. */
#define _GNU_SOURCE /* pthread_cond_clockwait() and its like */
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define AHEAD ((time_t)14 * 366 * 24 * 3600)

/* Not through the function that we replace, and not with dlsym(3), which may need the time itself.
 */
static int kernel_time(clockid_t clock, struct timespec *now)
{
#ifdef SYS_clock_gettime64
    return (int)syscall(SYS_clock_gettime64, clock, now);
#else
    return (int)syscall(SYS_clock_gettime, clock, now);
#endif
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = kernel_time(clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += AHEAD;
    return result;
}

time_t time(time_t *now)
{
    struct timespec t;
    if (clock_gettime(CLOCK_REALTIME, &t) != 0)
        return -1;
    if (now != NULL)
        *now = t.tv_sec;
    return t.tv_sec;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec t;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &t) != 0)
        return -1;
    *now = (struct timeval){.tv_sec = t.tv_sec, .tv_usec = t.tv_nsec / 1000};
    return 0;
}

int timespec_get(struct timespec *now, int base)
{
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, now) == 0 ? base : 0;
}

/* The clock that a deadline is meant for, which is put back if that is the time of day. No other
 * clock has counted for fourteen years. */
static clockid_t clock_of(struct timespec *deadline)
{
    if (deadline->tv_sec < AHEAD)
        return CLOCK_MONOTONIC;
    deadline->tv_sec -= AHEAD;
    return CLOCK_REALTIME;
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until)
{
    struct timespec deadline = *until;
    clockid_t clock = clock_of(&deadline);
    return pthread_cond_clockwait(condition, mutex, clock, &deadline);
}

int pthread_mutex_timedlock(pthread_mutex_t *restrict mutex, const struct timespec *restrict until)
{
    struct timespec deadline = *until;
    clockid_t clock = clock_of(&deadline);
    return pthread_mutex_clocklock(mutex, clock, &deadline);
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until)
{
    struct timespec deadline = *until;
    clockid_t clock = clock_of(&deadline);
    return sem_clockwait(semaphore, clock, &deadline);
}
