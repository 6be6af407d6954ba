/* Shared by deliveries that pass messages on to several others: each of those has a share of a
 * batch, which is a batch of its own. Some functions are those of a class (delivery.h). */
#ifndef P3_DELIVER_SHARES_H
#define P3_DELIVER_SHARES_H

#include "deliver/delivery.h"
#include "deliver/recipients.h"
#include "support/grow.h"

/* A delivery's share of a batch: the entry of a parcel is its index in the whole batch. */
typedef struct p3_share {
    p3_batch batch;
    p3_room room;
    bool is_tried;
} p3_share;

/* A delivery that has shares. */
typedef struct p3_part {
    p3_delivery *delivery; /* NULL: it is not open */
    bool in_hand;          /* the message being written goes to it */
} p3_part;

typedef struct p3_shares {
    p3_delivery base; /* first in the struct that contains the shares */
    p3_part parts[P3_FOLDERS_MOST + 1];
    size_t count;     /* number of parts */
    p3_share *at;     /* of the batch being filled; NULL: it is empty */
    size_t filled;    /* messages in it */
    const char *name; /* of the current message, or NULL */
    p3_problem *own;  /* a problem of its own, or NULL */
} p3_shares;

/* Makes room for a message in one share, so that nothing fails when the message is complete. False
 * when out of memory. */
bool p3_shares_make_room(p3_shares *s, size_t place);

/* Whether the current message goes to any part. */
bool p3_shares_any_in_hand(const p3_shares *s);

/* The current message is not passed to a part any more. */
void p3_shares_skip(p3_shares *s, size_t place);

/* The problem is the message's own. False when out of memory. */
bool p3_shares_note_own(p3_shares *s, const p3_problem *why);

/* The message is complete for all parts that it goes to. failed() is called for a part that fails,
 * and returns whether the others count. False, with the problem, when they do not, or are fewer
 * than `least`. */
bool p3_shares_finish(p3_shares *s, p3_parcel *out, size_t least,
                      bool (*failed)(p3_shares *s, size_t place, const p3_problem *why),
                      p3_problem *why);
void p3_shares_abandon(p3_delivery *d);
void p3_shares_discard(p3_delivery *d, const p3_parcel *parcels, size_t count);
void p3_shares_seal(p3_delivery *d, p3_batch *batch);

/* Copies the fingerprints of the whole batch's parcels to a share, and delivers it. */
void p3_share_deliver(p3_share *share, const p3_batch *whole);

/* Frees the shares of a batch; or NULL. */
void p3_shares_free(const p3_shares *s, p3_share *at);

/* Discards current and finished messages, and closes the parts, the first one last. */
void p3_shares_close(p3_shares *s);

#endif
