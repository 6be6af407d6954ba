/* A batch that goes to several deliveries: each has a share of it, which is a batch of its own. */
#ifndef P3_DELIVER_SHARES_H
#define P3_DELIVER_SHARES_H

#include "deliver/delivery.h"
#include "support/grow.h"

/* What a delivery gets of a batch: the entry of a parcel is its place in the whole batch. */
typedef struct p3_share {
    p3_batch batch;
    p3_room room;
    bool is_tried;
} p3_share;

/* The shares of the batch being filled. */
typedef struct p3_shares {
    p3_share *at;  /* NULL: it is empty */
    size_t count;  /* deliveries, which is set once */
    size_t filled; /* messages in it */
} p3_shares;

/* Makes room for a message in one share, which is that of `to`, so that nothing fails when the
 * message is complete. False without memory. */
bool p3_shares_make_room(p3_shares *s, size_t place, p3_delivery *to);

/* Throws away what is finished, which is all in the shares. */
void p3_shares_discard(p3_shares *s);

/* The batch is complete: its shares become its spool. */
void p3_shares_seal(p3_shares *s, p3_batch *batch);

/* Hands a share the prints that its parcels have in the whole batch, and delivers it. */
void p3_share_deliver(p3_share *share, const p3_batch *whole);

/* Frees the shares of a batch, of `count` deliveries; or NULL. */
void p3_shares_free(p3_share *at, size_t count);

#endif
