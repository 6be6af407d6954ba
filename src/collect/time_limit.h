/* How long the sessions of an account in a run may take, when no setting says so: a server that
 * sends an octet now and then makes progress for ever, as does one that ends each session after a
 * message, and would hold a run, and the timer that started it, as long. Time that we made the
 * server wait does not count. */
#ifndef P3_COLLECT_TIME_LIMIT_H
#define P3_COLLECT_TIME_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds that they may take in any case, and octets a second that must come beyond them. */
#define P3_TIME_LIMIT_MS   ((int64_t)15 * 60 * 1000)
#define P3_TIME_LIMIT_RATE 1000

/* Milliseconds without an octet of the message in hand, after which a run that is to end does not
 * wait for the rest. */
#define P3_FAREWELL_MS 3000

typedef struct p3_time_limit {
    int64_t begun_ms;     /* the session */
    int64_t spent_ms;     /* by the sessions before it, beyond what they earned */
    int64_t paused_since; /* 0: it is not paused */
    int64_t paused_ms;    /* so far */
} p3_time_limit;

/* All times are of p3_clock_ms(). */
void p3_time_limit_begin(p3_time_limit *p, int64_t spent, int64_t now);

/* The session waits for us from now on, or does no more. */
void p3_time_limit_pause(p3_time_limit *p, bool paused, int64_t now);

/* Milliseconds that this session and those before it took, less what all that came has earned:
 * what the next one begins with. */
int64_t p3_time_limit_spent(const p3_time_limit *p, uint64_t octets, int64_t now);

/* Milliseconds until the session has taken too long for what has come; never while it is paused:
 * INT64_MAX. */
int64_t p3_time_limit_left(const p3_time_limit *p, uint64_t octets, int64_t now);

#endif
