/* The verdict on a visit: what went wrong, whether another visit is worthwhile, and when. */
#ifndef P3_COLLECT_VERDICT_H
#define P3_COLLECT_VERDICT_H

#include <stdint.h>

#include "support/problem.h"

/* A wait that a server announces is observed once in a run. If it is longer than this
 * (milliseconds), the account is left to the next run. */
#define P3_WAIT_MOST ((int64_t)15 * 60 * 1000)

/* Whether there is another visit in the same run. */
typedef enum p3_again {
    P3_AGAIN_NO = 0,
    P3_AGAIN_LATER, /* the server asked to come back later: [IN-USE] and the like */
    P3_AGAIN_NOW    /* the connection was lost */
} p3_again;

/* All zero: nothing went wrong, and nothing is left to do. */
typedef struct p3_verdict {
    p3_problem problem; /* the first problem */
    p3_again again;
    int64_t wait_ms; /* the shortest wait that the server announced, or 0 */
    bool more;       /* without a problem: the visit left something to another one */
    bool adapted;    /* the next visit works in another way */
} p3_verdict;

/* How often an account has waited in this run. All zero at first. */
typedef struct p3_waits {
    unsigned count;
    bool announced; /* one wait was the one that the server had announced */
} p3_waits;

/* Records a problem: the first one counts. */
void p3_verdict_note(p3_verdict *v, const p3_problem *problem);

/* Requests another visit: the soonest counts. */
void p3_verdict_ask(p3_verdict *v, p3_again again);

/* What follows the visit. `goes_on`: the run's limits allow another visit at once. Waits are at
 * least `retry_ms`, doubled each time, and at most `retries`; `*wait_ms` is set to this one, which
 * is counted in `waits`. */
p3_again p3_verdict_next(const p3_verdict *v, bool goes_on, int64_t retry_ms, unsigned retries,
                         p3_waits *waits, int64_t *wait_ms);

#endif
