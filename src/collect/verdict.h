/* The verdict on a visit: what was wrong, and whether another one is worth while, and when. */
#ifndef P3_COLLECT_VERDICT_H
#define P3_COLLECT_VERDICT_H

#include <stdint.h>

#include "support/problem.h"

/* What a server announces is waited for once in a run; one that wants us to stay away for longer
 * than this is left to the next run: milliseconds. */
#define P3_WAIT_MOST ((int64_t)15 * 60 * 1000)

/* Another visit in the same run. */
typedef enum p3_again {
    P3_AGAIN_NO = 0,
    P3_AGAIN_LATER, /* the server sent us away for now: [IN-USE] and the like */
    P3_AGAIN_NOW    /* the connection was lost on the way */
} p3_again;

/* All zero: nothing was wrong, and nothing is left to do. */
typedef struct p3_verdict {
    p3_problem problem; /* the first */
    p3_again again;
    int64_t wait_ms; /* the least wait that the server announced, or 0 */
    bool more;       /* without a problem: the visit left something to another one */
    bool adapted;    /* the next visit goes another way */
} p3_verdict;

/* How an account has waited in this run. All zero at first. */
typedef struct p3_waits {
    unsigned count;
    bool announced; /* one was as long as the server had announced */
} p3_waits;

/* Notes a problem: the first counts. */
void p3_verdict_note(p3_verdict *v, const p3_problem *problem);

/* Notes that another visit is worth while: the soonest counts. */
void p3_verdict_ask(p3_verdict *v, p3_again again);

/* What comes after the visit. `goes_on`: the run's bounds let it come back at once. Waits are at
 * least `retry_ms`, doubled each time, and at most `retries`; `*wait_ms` is how long this one is,
 * which is counted in `waits`. */
p3_again p3_verdict_next(const p3_verdict *v, bool goes_on, int64_t retry_ms, unsigned retries,
                         p3_waits *waits, int64_t *wait_ms);

#endif
