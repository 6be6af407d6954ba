/* The time limit of the sessions of an account in a run, if no setting has one. A server that sends
 * an octet now and then, or ends each session after a message, makes progress for ever, and would
 * block a run and the timer that started it. Time in which the server waits for us does not count.
 */
#ifndef P3_COLLECT_TIME_LIMIT_H
#define P3_COLLECT_TIME_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* The milliseconds that sessions may take in any case, and the octets a second that must arrive
 * beyond them. */
#define P3_TIME_LIMIT_MS   ((int64_t)15 * 60 * 1000)
#define P3_TIME_LIMIT_RATE 1000

/* If a run is to end and this many milliseconds pass without an octet of the current message, the
 * run does not wait for the rest. */
#define P3_FAREWELL_MS 3000

typedef struct p3_time_limit {
    int64_t begun_ms;     /* the session */
    int64_t spent_ms;     /* used by earlier sessions, beyond what their octets allowed */
    int64_t paused_since; /* 0: it is not paused */
    int64_t paused_ms;    /* in total */
} p3_time_limit;

/* All times are of p3_clock_ms(). */
void p3_time_limit_begin(p3_time_limit *p, int64_t spent, int64_t now);

/* Starts or ends a pause, in which the session waits for us. */
void p3_time_limit_pause(p3_time_limit *p, bool paused, int64_t now);

/* The milliseconds that this session and those before it took, minus those that received octets
 * allowed: the next session starts with it. */
int64_t p3_time_limit_spent(const p3_time_limit *p, uint64_t octets, int64_t now);

/* Milliseconds until the session has taken too long for what it received; INT64_MAX while it is
 * paused. */
int64_t p3_time_limit_left(const p3_time_limit *p, uint64_t octets, int64_t now);

#endif
