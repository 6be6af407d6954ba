/* The outcome of a visit: the verdict, and what the next visit does differently. */
#ifndef P3_COLLECT_OUTCOME_H
#define P3_COLLECT_OUTCOME_H

#include "collect/parts.h"
#include "collect/verdict.h"

typedef struct p3_outcome {
    const p3_trust *trust; /* of this visit */
    p3_verdict verdict;
    p3_trust next;    /* of the next visit in this run */
    bool out_of_step; /* replies did not match the commands sent */
} p3_outcome;

/* Starts the outcome of a visit that uses `trust`. */
void p3_outcome_begin(p3_outcome *o, const p3_trust *trust);

/* Records newly learned traits of the server; the next visit uses them, in this run or another. */
void p3_outcome_learn(p3_outcome *o, p3_parts *p, pop3_server_traits learned);

/* The connection was lost in a stage, because something ended with `status`: sets the verdict and
 * the next trust. `out_of_time`: a limit on the whole session has passed. */
void p3_outcome_of_loss(p3_outcome *o, p3_parts *p, p3_stage stage, pop3_status status,
                        bool out_of_time, p3_problem *why);

/* A message ended the visit: the next one retrieves the others without it. */
void p3_outcome_spare_trouble(p3_outcome *o);

/* A message that was being compared ended the visit: the next one compares the others. */
void p3_outcome_set_aside(p3_outcome *o, uint32_t number);

/* Replies did not match the commands sent: the next visit sends one command at a time. */
void p3_outcome_fall_out_of_step(p3_outcome *o);

#endif
