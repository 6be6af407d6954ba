/* Batches of messages: fills them, hands them to the committer to be delivered and recorded, and
 * handles the results. */
#ifndef P3_COLLECT_BATCHER_H
#define P3_COLLECT_BATCHER_H

#include "collect/recorder.h"

typedef struct p3_batcher {
    p3_maildrop *drop;
    p3_recorder *recorder;
    p3_jobs *jobs;
    p3_delivery *delivery; /* NULL: nothing is delivered in this visit */
    void (*delivered)(void *ctx,
                      p3_mail *mail); /* called when a message has been delivered and recorded */
    void *ctx;
    p3_parcel *parcels; /* the batch being filled */
    size_t count;
    uint64_t octets;
    size_t room;      /* capacity of `parcels` */
    int64_t since;    /* milliseconds: when its first message arrived */
    unsigned batches; /* handed in and not completed */
    p3_commit *slow;  /* deliveries to slow targets, waiting for their turn */
    bool slow_runs;
} p3_batcher;

/* Prepares for at most `most` messages to a target. drop, recorder, jobs, delivered and ctx must be
 * set. */
void p3_batcher_begin(p3_batcher *b, p3_delivery *delivery, size_t most);

/* Adds a complete message. */
void p3_batcher_add(p3_batcher *b, const p3_parcel *parcel);

/* Hands the batch in if it is full. `at_once`: hands each message in; `hold`: keeps the batch until
 * the end of the session, because its messages may not be those that were requested. */
void p3_batcher_hand_in_full(p3_batcher *b, bool at_once, bool hold);

/* Hands the batch in; discards it. */
void p3_batcher_hand_in(p3_batcher *b);
void p3_batcher_throw_away(p3_batcher *b);

/* Whether reading must pause until a slow delivery or the disk has caught up. */
bool p3_batcher_is_behind(const p3_batcher *b);

void p3_batcher_free(p3_batcher *b);

#endif
