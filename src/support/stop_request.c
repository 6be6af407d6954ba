/* The request to end the process. */
#include "support/stop_request.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>

#include "support/clock.h"

static int asked_fd = -1;
static _Atomic int64_t over; /* of p3_clock_ms(): when waiting ends; 0: no request */

void p3_stop_request_watch(int fd)
{
    asked_fd = fd;
}

bool p3_stop_request_is_watched(void)
{
    return asked_fd >= 0;
}

bool p3_stop_request_is_made(void)
{
    struct pollfd p = {.fd = asked_fd, .events = POLLIN};
    int64_t none = 0;
    if (atomic_load(&over) != 0)
        return true;
    if (asked_fd < 0 || poll(&p, 1, 0) <= 0)
        return false;
    (void)atomic_compare_exchange_strong(&over, &none, p3_clock_ms() + P3_STOP_GRACE_MS);
    return true;
}

int64_t p3_stop_request_until(int64_t until)
{
    int64_t end = p3_stop_request_is_made() ? atomic_load(&over) : until;
    return end < until ? end : until;
}

int p3_stop_request_poll(int fd, short events, int64_t until)
{
    bool asked = p3_stop_request_is_made();
    int64_t left = p3_stop_request_until(until) - p3_clock_ms();
    struct pollfd p[2] = {{.fd = fd, .events = events},
                          {.fd = asked ? -1 : asked_fd, .events = POLLIN}};
    int n = poll(p, 2, left <= 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX);
    if (n < 0)
        return errno == EINTR ? 0 : -1;
    return p[0].revents != 0 ? 1 : 0;
}

const char *p3_stop_request_reason(int error)
{
    return error == ECANCELED ? "stopped by a signal" : strerror(error);
}
