/* How far the machine's clock is believed. A clock that is wrong, before it has been set or by
 * mistake, must not make mail look older than it is, because mail that is deleted by its age is
 * gone. */
#ifndef P3_SUPPORT_CALENDAR_H
#define P3_SUPPORT_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

/* What an account's runs have observed about the clock, in seconds since the epoch. All zero:
 * nothing. */
typedef struct p3_clock_record {
    int64_t last;    /* the last time that was read, within an hour */
    int64_t jumped;  /* when a jump was found; 0: never */
    int64_t trusted; /* the time before the jump */
} p3_clock_record;

/* The time to use. */
typedef struct p3_calendar {
    int64_t now;
    int64_t stamp;        /* for deliveries now; 0: not known */
    int64_t due;          /* mail that is due by then may be deleted */
    p3_clock_record seen; /* to be recorded */
    bool changed;         /* and differs from what was recorded */
} p3_calendar;

/* Reads the clock, whose time is `now`. A time before any release is invalid. After a jump
 * (forwards by more than two days, or backwards by one) nothing becomes due that was not due
 * before, until the clock has run for a day. (If runs are further apart than that, each finds a
 * jump, and deletions wait for the run after it.) */
p3_calendar p3_calendar_read(int64_t now, p3_clock_record seen);

/* Whether a recorded time is possible: not before any release, and not in the future. */
bool p3_calendar_plausible(const p3_calendar *c, int64_t time);

#endif
