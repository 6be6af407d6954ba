/* Decides whether to poll for an answer for a moment before sleeping, because a nearby server
 * answers sooner than a process wakes up. If polling was in vain, it is tried again after one wait,
 * then after two, four and so on, so that a distant server costs little. */
#ifndef P3_CORE_BUSY_WAIT_H
#define P3_CORE_BUSY_WAIT_H

#include <stdbool.h>

/* The most waits until polling is tried again. */
#define P3_BUSY_WAIT_REST 1024u

/* All zero at first. */
typedef struct p3_busy_wait {
    unsigned rest; /* waits left without polling */
    unsigned last; /* their number the last time */
} p3_busy_wait;

/* Whether to poll in this wait. */
static inline bool p3_busy_wait_is_due(p3_busy_wait *g)
{
    if (g->rest == 0)
        return true;
    g->rest--;
    return false;
}

/* Records whether polling found an answer. */
static inline void p3_busy_wait_over(p3_busy_wait *g, bool found)
{
    if (found)
        g->last = 0;
    else if (g->last < P3_BUSY_WAIT_REST)
        g->last = g->last == 0 ? 1 : g->last * 2;
    g->rest = g->last;
}

#endif
