/* How long the sessions of an account may take, when no setting says so. */
#include "collect/patience.h"

void p3_patience_begin(p3_patience *p, int64_t spent, int64_t now)
{
    *p = (p3_patience){.begun_ms = now, .spent_ms = spent};
}

void p3_patience_pause(p3_patience *p, bool paused, int64_t now)
{
    if (paused && p->paused_since == 0)
        p->paused_since = now;
    if (paused || p->paused_since == 0)
        return;
    p->paused_ms += now - p->paused_since;
    p->paused_since = 0;
}

int64_t p3_patience_spent(const p3_patience *p, uint64_t octets, int64_t now)
{
    uint64_t most = INT64_MAX / 4;
    uint64_t earned = octets / P3_PATIENCE_RATE;
    int64_t until = p->paused_since != 0 ? p->paused_since : now;
    if (earned > most / 1000)
        earned = most / 1000;
    return p->spent_ms + (until - p->begun_ms - p->paused_ms) - (int64_t)earned * 1000;
}

int64_t p3_patience_left(const p3_patience *p, uint64_t octets, int64_t now)
{
    if (p->paused_since != 0)
        return INT64_MAX;
    return P3_PATIENCE_MS - p3_patience_spent(p, octets, now);
}
