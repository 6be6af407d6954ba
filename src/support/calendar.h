/* What the machine's clock is believed. A clock that is wrong, before it is set at the start or by
 * mistake, must not make mail look older than it is: what is deleted by its age is gone. */
#ifndef P3_SUPPORT_CALENDAR_H
#define P3_SUPPORT_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

/* What an account's runs have seen of the clock, in seconds since the epoch. All zero: nothing. */
typedef struct p3_seen {
    int64_t last;    /* when it was last looked at, within an hour */
    int64_t jumped;  /* when it was found to have jumped; 0: never */
    int64_t trusted; /* the time before that */
} p3_seen;

/* The time as it is to be used. */
typedef struct p3_calendar {
    int64_t now;
    int64_t stamp; /* for what is delivered now; 0: not known */
    int64_t due;   /* what is due by then may be deleted */
    p3_seen seen;  /* to be recorded */
    bool changed;  /* that is not what was recorded */
} p3_calendar;

/* Reads the clock: `now` is what it says. A time before that of any release is none. After a jump,
 * forwards by more than two days or backwards by one, nothing is due that was not due before it,
 * until the clock has gone on for a day. (When runs are further apart than that, each finds a jump,
 * and what is due waits for the run after it.) */
p3_calendar p3_calendar_read(int64_t now, p3_seen seen);

/* Whether a recorded time can be one: neither before any release nor in the future. */
bool p3_calendar_plausible(const p3_calendar *c, int64_t time);

#endif
