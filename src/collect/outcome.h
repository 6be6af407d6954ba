/* What a visit leaves: the verdict on it, and what it teaches the next one. */
#ifndef P3_COLLECT_OUTCOME_H
#define P3_COLLECT_OUTCOME_H

#include "collect/parts.h"
#include "collect/verdict.h"

typedef struct p3_outcome {
    const p3_trust *trust; /* of the visit itself */
    p3_verdict verdict;
    p3_trust next;    /* of the next one in this run */
    bool out_of_step; /* replies were not those to the commands sent */
} p3_outcome;

/* Of a visit that goes by `trust`, and has just begun. */
void p3_outcome_begin(p3_outcome *o, const p3_trust *trust);

/* Records what was learned about the server, where it was not known before; the next visit, in this
 * run or another, begins with it. */
void p3_outcome_learn(p3_outcome *o, p3_parts *p, pop3_server_traits learned);

/* The connection is lost in a stage, as something ended with `status`: what that means, and why it
 * is, for people. `out_of_time`: a bound on the whole session has passed. */
void p3_outcome_of_loss(p3_outcome *o, p3_parts *p, p3_stage stage, pop3_status status,
                        bool out_of_time, p3_problem *why);

/* A message ended the visit: the others come in another one, without it. */
void p3_outcome_spare_trouble(p3_outcome *o);

/* A message that is compared ended the visit: the others are, in another one. */
void p3_outcome_set_aside(p3_outcome *o, uint32_t number);

/* Replies were not those to the commands sent: the next visit goes in steps. */
void p3_outcome_fall_out_of_step(p3_outcome *o);

#endif
