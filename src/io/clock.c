/* The monotonic clock, and deadlines on it. */
#include "io/clock.h"

#include <limits.h>
#include <time.h>

int64_t p3_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail with this clock */
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t p3_now_ms(void)
{
    return p3_now_us() / 1000;
}

int64_t p3_deadline(int64_t now, int timeout_ms)
{
    return timeout_ms < 0 ? P3_NEVER : now + timeout_ms;
}

int p3_until(int64_t deadline, int64_t now)
{
    if (deadline == P3_NEVER)
        return -1;
    if (deadline <= now)
        return 0;
    return deadline - now > INT_MAX ? INT_MAX : (int)(deadline - now);
}
