/* Messages on their way from the server to the target. The parts work at the same time: intents are
 * recorded, messages retrieved, delivered in batches, and deleted once they are delivered. */
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
    bool confirmed; /* messages in doubt count as delivered */
    int64_t proven; /* the row of a message whose header was checked, and which another visit
                       deletes; or 0 */
    bool more;      /* something is left to another visit */
} p3_transfer;

/* Connects the parts. */
void p3_transfer_init(p3_transfer *t, p3_run *run, p3_recorder *recorder, const p3_trust *trust);

/* Starts with the chosen messages, and with known ones that are due for deletion. `only_deletes`:
 * the visit only deletes. In a dry run nothing happens. */
void p3_transfer_begin(p3_transfer *t, const p3_choice *choice, bool only_deletes);

/* Continues; returns true when everything is retrieved, delivered and deleted. */
bool p3_transfer_advance(p3_transfer *t);

/* The session has not fallen out of step: messages delivered in doubt, or received again unchanged,
 * count as delivered. */
void p3_transfer_confirm(p3_transfer *t);

void p3_transfer_free(p3_transfer *t);

#endif
