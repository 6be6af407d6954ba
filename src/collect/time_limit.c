/* The time limit of an account's sessions. */
#include "collect/time_limit.h"

void p3_time_limit_begin(p3_time_limit *p, int64_t spent, int64_t now)
{
    *p = (p3_time_limit){.begun_ms = now, .spent_ms = spent};
}

void p3_time_limit_pause(p3_time_limit *p, bool paused, int64_t now)
{
    if (paused && p->paused_since == 0)
        p->paused_since = now;
    if (paused || p->paused_since == 0)
        return;
    p->paused_ms += now - p->paused_since;
    p->paused_since = 0;
}

int64_t p3_time_limit_spent(const p3_time_limit *p, uint64_t octets, int64_t now)
{
    uint64_t most = INT64_MAX / 4;
    uint64_t earned = octets / P3_TIME_LIMIT_RATE;
    int64_t until = p->paused_since != 0 ? p->paused_since : now;
    if (earned > most / 1000)
        earned = most / 1000;
    return p->spent_ms + (until - p->begun_ms - p->paused_ms) - (int64_t)earned * 1000;
}

int64_t p3_time_limit_left(const p3_time_limit *p, uint64_t octets, int64_t now)
{
    if (p->paused_since != 0)
        return INT64_MAX;
    return P3_TIME_LIMIT_MS - p3_time_limit_spent(p, octets, now);
}
