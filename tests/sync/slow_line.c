/* Preloaded, it makes a line slow without anybody having to wait: each octet that is received moves
 * the clock, and no more of them come at once than a moment has. POP3_SLOW_LINE has the
 * microseconds that an octet takes. With POP3_SILENT_LINE a moment in which nothing comes, or is
 * waited for, moves the clock by a second. */
#define _GNU_SOURCE
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Octets that come at once: as many as there are in a tenth of a second, but one at least. */
#define MOMENT 100000

static atomic_llong passed; /* microseconds, beside those that really have */

static long long octet(void)
{
    const char *set = getenv("POP3_SLOW_LINE");
    return set != NULL ? atoll(set) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
#ifdef SYS_clock_gettime64
    int result = (int)syscall(SYS_clock_gettime64, clock, now);
#else
    int result = (int)syscall(SYS_clock_gettime, clock, now);
#endif
    if (result == 0 && clock == CLOCK_MONOTONIC) {
        long long all = atomic_load(&passed);
        now->tv_sec += (time_t)(all / 1000000);
        now->tv_nsec += (long)(all % 1000000) * 1000;
        if (now->tv_nsec >= 1000000000) {
            now->tv_nsec -= 1000000000;
            now->tv_sec++;
        }
    }
    return result;
}

ssize_t recv(int fd, void *buffer, size_t len, int flags)
{
    long long each = octet();
    size_t most = each > 0 && each < MOMENT ? (size_t)(MOMENT / each) : 1;
    ssize_t n = recvfrom(fd, buffer, each > 0 && len > most ? most : len, flags, NULL, NULL);
    if (n > 0)
        atomic_fetch_add(&passed, n * each);
    return n;
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    const struct timespec moment = {.tv_nsec = 50 * 1000000L};
    int n = 0;
    if (getenv("POP3_SILENT_LINE") == NULL || timeout == 0) {
        const struct timespec time = {.tv_sec = timeout / 1000,
                                      .tv_nsec = (long)(timeout % 1000) * 1000000};
        return ppoll(fds, count, timeout < 0 ? NULL : &time, NULL);
    }
    for (long long left = timeout; n == 0 && left != 0 && (left > 0 || timeout < 0);) {
        long long step = timeout < 0 || left > 1000 ? 1000 : left;
        n = ppoll(fds, count, &moment, NULL);
        if (n == 0)
            atomic_fetch_add(&passed, step * 1000);
        left -= timeout < 0 ? 0 : step;
    }
    return n;
}
