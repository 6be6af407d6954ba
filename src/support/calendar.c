/* How far the machine's clock is believed. */
#include "support/calendar.h"

#define P3_HOUR ((int64_t)60 * 60)
#define P3_DAY  (24 * P3_HOUR)

/* 1 January 2025: no release is older. */
#define P3_RELEASES_BEGIN ((int64_t)1735689600)

p3_calendar p3_calendar_read(int64_t now, p3_clock_record seen)
{
    p3_calendar c = {.now = now, .seen = seen};
    if (now < P3_RELEASES_BEGIN)
        return c;
    c.stamp = now > seen.last ? now : seen.last;
    c.due = now;
    if (seen.last != 0 && (now > seen.last + 2 * P3_DAY || now < seen.last - P3_DAY)) {
        bool is_trusted = seen.jumped == 0 || seen.last - seen.jumped >= P3_DAY;
        int64_t trusted = is_trusted || now > seen.last + 2 * P3_DAY ? seen.last : seen.trusted;
        c.due = trusted < now ? trusted : now;
        c.seen = (p3_clock_record){.last = now, .jumped = now, .trusted = c.due};
        c.changed = true;
        return c;
    }
    if (seen.jumped != 0 && now - seen.jumped < P3_DAY)
        c.due = seen.trusted;
    if (seen.last == 0 || now - seen.last >= P3_HOUR) {
        c.seen.last = now;
        c.changed = true;
    }
    return c;
}

bool p3_calendar_plausible(const p3_calendar *c, int64_t time)
{
    return time >= P3_RELEASES_BEGIN && time <= c->now + P3_DAY;
}
