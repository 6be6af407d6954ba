/* Waits for a time. */
#include "support/pause.h"

#include <errno.h>
#include <time.h>

#include "support/clock.h"
#include "support/stop_request.h"

#ifdef P3_FAULT_HOOKS
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_skipped(int64_t ms)
{
    const char *what = getenv("POP3_TEST_PAUSES");
    if (what == NULL || strcmp(what, "skip") != 0)
        return false;
    fprintf(stderr, "test: a pause of %lld ms\n", (long long)ms);
    return true;
}
#endif

static void sleep_for(int64_t ms)
{
    struct timespec left = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

void p3_pause(int64_t ms)
{
    int64_t until = p3_clock_ms() + ms;
    if (ms <= 0)
        return;
#ifdef P3_FAULT_HOOKS
    if (is_skipped(ms))
        return;
#endif
    if (!p3_stop_request_is_watched()) {
        sleep_for(ms);
        return;
    }
    while (!p3_stop_request_is_made() && p3_clock_ms() < until &&
           p3_stop_request_poll(-1, 0, until) >= 0)
        continue;
}
