/* Time limits of a connection. */
#ifndef P3_CLIENT_LIMITS_H
#define P3_CLIENT_LIMITS_H

#include "io/clock.h"

#include <stdbool.h>

typedef struct p3_limits {
    int64_t answer;  /* unless something happens; P3_NEVER while nothing is awaited */
    int64_t session; /* in any case */
} p3_limits;

/* A connection begins, with these limits in milliseconds for connecting and for the session (0: no
 * limit). */
static inline void p3_limits_begin(p3_limits *l, int connect_ms, int session_ms)
{
    int64_t now = p3_now_ms();
    l->answer = p3_deadline(now, connect_ms);
    l->session = session_ms > 0 ? p3_deadline(now, session_ms) : P3_NEVER;
}

/* Waits for something for ms milliseconds from now; negative: without a limit. Reads the clock,
 * because callbacks may have taken time that is not the server's. */
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
