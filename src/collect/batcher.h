/* Batches of messages: collected, handed in to be delivered and recorded, and what came of them. */
#ifndef P3_COLLECT_BATCHER_H
#define P3_COLLECT_BATCHER_H

#include "collect/recorder.h"

typedef struct p3_batcher {
    p3_maildrop *drop;
    p3_recorder *recorder;
    p3_jobs *jobs;
    p3_delivery *delivery;                       /* NULL: there is nothing to deliver */
    void (*delivered)(void *ctx, p3_mail *mail); /* a message is, and is recorded */
    void *ctx;
    p3_parcel *parcels; /* the batch being filled */
    size_t count;
    uint64_t octets;
    size_t room;      /* for so many */
    int64_t since;    /* milliseconds: when its first message came */
    unsigned batches; /* handed in and not over */
    p3_commit *slow;  /* slow deliveries that wait for their turn */
    bool slow_runs;
} p3_batcher;

/* Prepares for up to `most` messages to a target, with drop, recorder, jobs, delivered and ctx set.
 */
void p3_batcher_begin(p3_batcher *b, p3_delivery *delivery, size_t most);

/* Adds a message that is complete. */
void p3_batcher_add(p3_batcher *b, const p3_parcel *parcel);

/* Hands the batch in when it is full. `at_once`: each message is; `hold`: what is in it may be
 * another message than it seems, and waits for what the session's end says. */
void p3_batcher_hand_in_full(p3_batcher *b, bool at_once, bool hold);

/* Hands it in as it is; throws it away. */
void p3_batcher_hand_in(p3_batcher *b);
void p3_batcher_throw_away(p3_batcher *b);

/* Whether a slow delivery, or the disk, has to catch up before more is read. */
bool p3_batcher_is_behind(const p3_batcher *b);

void p3_batcher_free(p3_batcher *b);

#endif
