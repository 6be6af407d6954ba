/* Whether to look for an answer for a moment before going to sleep: a server nearby answers sooner
 * than a process wakes. One that did not is looked for again after one wait, then after two, four
 * and so on, so that one far away costs a few moments in all. */
#ifndef P3_CORE_BUSY_WAIT_H
#define P3_CORE_BUSY_WAIT_H

#include <stdbool.h>

/* Most waits until the next look. */
#define P3_BUSY_WAIT_REST 1024u

/* All zero at first. */
typedef struct p3_busy_wait {
    unsigned rest; /* waits that go without a look */
    unsigned last; /* how many there were the last time */
} p3_busy_wait;

/* Whether it is worth a look in this wait. */
static inline bool p3_busy_wait_is_due(p3_busy_wait *g)
{
    if (g->rest == 0)
        return true;
    g->rest--;
    return false;
}

/* What the look came to. */
static inline void p3_busy_wait_over(p3_busy_wait *g, bool found)
{
    if (found)
        g->last = 0;
    else if (g->last < P3_BUSY_WAIT_REST)
        g->last = g->last == 0 ? 1 : g->last * 2;
    g->rest = g->last;
}

#endif
