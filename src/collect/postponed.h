/* Messages at whose deletion a session broke. Each is deleted once more, in a session of its own
 * after all others, and kept for the rest of the run if that breaks as well. The row of the message
 * records it: the next runs delete it after the others from the first session on. Pure functions.
 */
#ifndef P3_COLLECT_POSTPONED_H
#define P3_COLLECT_POSTPONED_H

#include <pop3/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most in a run; and the most at which the server did not answer, as each costs a timeout. */
#define P3_POSTPONED_MOST   16
#define P3_POSTPONED_SILENT 4

/* If this many broke and no deletion was answered, nothing more is deleted. */
#define P3_POSTPONED_IN_VAIN 4

typedef struct p3_postponement {
    int64_t key;        /* of the message */
    pop3_status status; /* how the session broke */
    bool kept;          /* broke twice, or also in an earlier run */
} p3_postponement;

/* All zero: none. */
typedef struct p3_postponed {
    unsigned count;
    unsigned silent;
    bool answered; /* a deletion was answered */
    bool all;      /* nothing more is deleted in this run */
    p3_postponement at[P3_POSTPONED_MOST];
} p3_postponed;

/* A session broke with `status` at a message's deletion. `answered`: the server had answered other
 * deletions; `again`: an earlier session broke at it, possibly in an earlier run. */
void p3_postponed_add(p3_postponed *p, int64_t key, pop3_status status, bool answered, bool again);

/* The entry of a message, or NULL. */
const p3_postponement *p3_postponed_find(const p3_postponed *p, int64_t key);

/* Why a message is kept, for the user. Static. */
const char *p3_postponed_why(const p3_postponement *p);

#endif
