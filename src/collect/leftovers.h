/* Finds out which intents that an earlier run left over were carried out. */
#ifndef P3_COLLECT_LEFTOVERS_H
#define P3_COLLECT_LEFTOVERS_H

#include "collect/recorder.h"

typedef struct p3_leftovers {
    p3_delivery *target; /* where the intents were looked for; NULL: nowhere */
} p3_leftovers;

/* Searches the target for messages that an earlier run may have delivered without recording them,
 * and hands in what it finds. Returns false with the problem. */
bool p3_leftovers_resolve(p3_leftovers *l, p3_recorder *r, p3_state *state, p3_problem *why);

/* The results have been recorded, or not: closes the target. */
void p3_leftovers_free(p3_leftovers *l, bool recorded);

#endif
