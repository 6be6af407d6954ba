/* Messages on their way from the server to the target. Its parts work at the same time: intents are
 * recorded, messages retrieved, delivered in batches, and deleted once they are. */
#ifndef P3_COLLECT_TRANSFER_H
#define P3_COLLECT_TRANSFER_H

#include "collect/batcher.h"
#include "collect/choice.h"
#include "collect/deleter.h"
#include "collect/intents.h"
#include "collect/retriever.h"
#include "collect/run.h"
#include "collect/trust.h"

typedef struct p3_transfer {
    p3_maildrop *drop;
    const p3_trust *trust;
    p3_intents intents;
    p3_retriever retriever;
    p3_batcher batcher;
    p3_deleter deleter;
    bool goes_on;   /* the first intents are on the disk, and the others are handed in */
    bool confirmed; /* what was in doubt counts as delivered */
    int64_t proven; /* the row of one that was looked at, and is another visit's to delete; or 0 */
    bool more;      /* something is left to another visit */
} p3_transfer;

/* Introduces the parts to each other. */
void p3_transfer_init(p3_transfer *t, p3_run *run, p3_recorder *recorder, const p3_trust *trust);

/* Begins with the chosen messages, and those that are known and due for deletion. `only_deletes`:
 * the visit deletes, and does nothing else. In a dry run nothing happens. */
void p3_transfer_begin(p3_transfer *t, const p3_choice *choice, bool only_deletes);

/* Goes on with it; true when all is retrieved, delivered and deleted. */
bool p3_transfer_is_done(p3_transfer *t);

/* What was delivered in doubt, or came as it had been, counts as delivered, as the session has not
 * fallen out of step: until then any of it may be another's reply, as it may have been before. */
void p3_transfer_confirm(p3_transfer *t);

void p3_transfer_free(p3_transfer *t);

#endif
