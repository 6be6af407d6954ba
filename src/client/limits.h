/* How long a connection may take: points in time at which it is given up. */
#ifndef P3_CLIENT_LIMITS_H
#define P3_CLIENT_LIMITS_H

#include "io/clock.h"

#include <stdbool.h>

typedef struct p3_limits {
    int64_t answer;  /* unless something happens; P3_NEVER while nothing is awaited */
    int64_t session; /* whatever happens */
} p3_limits;

/* A connection begins that may take so many milliseconds to be made, and in all (0: no limit). */
static inline void p3_limits_begin(p3_limits *l, int connect_ms, int session_ms)
{
    int64_t now = p3_now_ms();
    l->answer = p3_deadline(now, connect_ms);
    l->session = session_ms > 0 ? p3_deadline(now, session_ms) : P3_NEVER;
}

/* Something is awaited for so many milliseconds from now; negative: without a limit. The clock is
 * read now: callbacks may have taken their time, which is not the server's. */
static inline void p3_limits_await(p3_limits *l, int ms)
{
    l->answer = p3_deadline(p3_now_ms(), ms);
}

/* Nothing is awaited. */
static inline void p3_limits_rest(p3_limits *l)
{
    l->answer = P3_NEVER;
}

/* When the first limit is reached. */
static inline int64_t p3_limits_next(const p3_limits *l)
{
    return l->answer < l->session ? l->answer : l->session;
}

#endif
