/* The visits to an account in a run: what one leaves to the next, and whether there is another. */
#ifndef P3_COLLECT_NEXT_VISIT_H
#define P3_COLLECT_NEXT_VISIT_H

#include "collect/retry_limit.h"
#include "collect/verdict.h"
#include "collect/visit.h"

/* All zero before the first. */
typedef struct p3_next_visit {
    p3_history history;
    p3_problem problem; /* the result of the last visit */
    p3_problem lost;    /* the result of the last visit that had got as far as the listing */
    p3_waits waits;     /* how often and how long the account has waited */
    p3_retry_limit attempts;
} p3_next_visit;

/* A visit has ended. Returns whether there is another in this run; sets `*wait_ms` for a later one.
 * `stopped`: the run is to end. */
p3_again p3_next_visit_decide(p3_next_visit *t, const p3_visit *v, const p3_sync_options *options,
                              bool stopped, int64_t *wait_ms);

/* The result of the account in this run: the last visit's problem, or that mail is left to the next
 * run; all zero: neither. */
p3_problem p3_next_visit_problem(const p3_next_visit *t);

#endif
