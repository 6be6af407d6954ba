/* Finds the rows of messages that were compared to the last octet. */
#ifndef P3_COLLECT_MATCH_BODIES_H
#define P3_COLLECT_MATCH_BODIES_H

#include "collect/plan.h"
#include "support/grow.h"

/* A message that was compared to the last octet, and is another than that of its row. */
typedef struct p3_other {
    size_t mail; /* index in the mailbox */
    p3_fingerprint header;
    p3_fingerprint body;
} p3_other;

/* Those of a session. Starts from zero. */
typedef struct p3_others {
    p3_other *at;
    size_t count;
    p3_room room;
} p3_others;

/* Returns false when out of memory. */
bool p3_others_add(p3_others *others, p3_other other);

void p3_others_free(p3_others *others);

/* Decides about them, all at once (match_bodies.c): what is the message of another row, to the last
 * octet, is known for certain, and the rest is new. Returns false when out of memory. */
bool p3_plan_match_others(p3_plan *plan, p3_mailbox *box, const p3_rows *rows,
                          const p3_others *others);

#endif
