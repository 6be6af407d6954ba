/* Messages at whose deletion a session broke: each is asked for again once, in a session of its own
 * after the others are deleted, and kept for the rest of the run when that breaks as well. That a
 * session broke at a message is remembered in its row: the next runs delete it after the others
 * from the first session on. No input or output happens here. */
#ifndef P3_COLLECT_POSTPONED_H
#define P3_COLLECT_POSTPONED_H

#include <pop3/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many in a run, and so many of them where the server did not answer: each costs a timeout. */
#define P3_POSTPONED_MOST   16
#define P3_POSTPONED_SILENT 4

/* So many, without any deletion that was answered, and the server is not asked to delete any more.
 */
#define P3_POSTPONED_IN_VAIN 4

typedef struct p3_postponement {
    int64_t key;        /* of the message */
    pop3_status status; /* how the session broke */
    bool kept;          /* twice, or in an earlier run, too */
} p3_postponement;

/* All zero: none. */
typedef struct p3_postponed {
    unsigned count;
    unsigned silent;
    bool answered; /* a deletion was */
    bool all;      /* nothing is deleted any more in this run */
    p3_postponement at[P3_POSTPONED_MOST];
} p3_postponed;

/* A session broke with `status` at a message's deletion; `answered`: it had answered others;
 * `again`: an earlier one did, maybe of another run. */
void p3_postponed_add(p3_postponed *p, int64_t key, pop3_status status, bool answered, bool again);

/* That of a message, or NULL. */
const p3_postponement *p3_postponed_find(const p3_postponed *p, int64_t key);

/* Why a message is kept, for people. Static. */
const char *p3_postponed_why(const p3_postponement *p);

#endif
