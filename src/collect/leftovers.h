/* Intents that an earlier run left over: which of them were carried out. */
#ifndef P3_COLLECT_LEFTOVERS_H
#define P3_COLLECT_LEFTOVERS_H

#include "collect/recorder.h"

typedef struct p3_leftovers {
    p3_delivery *target; /* where they were looked for; NULL: nowhere */
} p3_leftovers;

/* Looks at the target for what an earlier run may have delivered without recording it, and hands in
 * what it finds. Returns false with the problem. */
bool p3_leftovers_resolve(p3_leftovers *l, p3_recorder *r, p3_state *state, p3_problem *why);

/* All that was found is recorded, or not: closes the target. */
void p3_leftovers_free(p3_leftovers *l, bool recorded);

#endif
