/* An account's turns in a run: what its visits leave to the next one, and whether there is one. */
#ifndef P3_COLLECT_NEXT_VISIT_H
#define P3_COLLECT_NEXT_VISIT_H

#include "collect/retry_limit.h"
#include "collect/verdict.h"
#include "collect/visit.h"

/* All zero before the first. */
typedef struct p3_next_visit {
    p3_history history;
    p3_problem problem; /* how the last visit ended */
    p3_problem lost;    /* the same of the last that had got as far as the listing */
    p3_waits waits;     /* times the server sent us away */
    p3_retry_limit attempts;
} p3_next_visit;

/* A visit is over. Returns whether another one comes in this run; `*wait_ms` is set for a later
 * one. `stopped`: the run is to end. */
p3_again p3_next_visit_decide(p3_next_visit *t, const p3_visit *v, const p3_sync_options *options,
                              bool stopped, int64_t *wait_ms);

/* How the account ends in this run: the last visit's problem, or that it leaves something to the
 * next run; all zero when neither. */
p3_problem p3_next_visit_problem(const p3_next_visit *t);

#endif
