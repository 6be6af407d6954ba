/* What deliveries have in common that hand their messages to several others: each of those has a
 * share of a batch, which is a batch of its own. Some functions are those of a class (delivery.h).
 */
#ifndef P3_DELIVER_SHARES_H
#define P3_DELIVER_SHARES_H

#include "deliver/delivery.h"
#include "deliver/recipients.h"
#include "support/grow.h"

/* What a delivery gets of a batch: the entry of a parcel is its place in the whole batch. */
typedef struct p3_share {
    p3_batch batch;
    p3_room room;
    bool is_tried;
} p3_share;

/* One of those that have shares. */
typedef struct p3_part {
    p3_delivery *delivery; /* NULL: it is not open */
    bool in_hand;          /* the message being written goes to it */
} p3_part;

typedef struct p3_shares {
    p3_delivery base; /* first in the struct of whose shares they are */
    p3_part parts[P3_FOLDERS_MOST + 1];
    size_t count;     /* of them */
    p3_share *at;     /* of the batch being filled; NULL: it is empty */
    size_t filled;    /* messages in it */
    const char *name; /* of the message in hand, or NULL */
    p3_problem *own;  /* its own trouble, or NULL */
} p3_shares;

/* Makes room for a message in one share, so that nothing fails when the message is complete. False
 * without memory. */
bool p3_shares_make_room(p3_shares *s, size_t place);

/* Whether the message in hand goes to any part. */
bool p3_shares_any_in_hand(const p3_shares *s);

/* The message in hand goes no further to a part. */
void p3_shares_drop(p3_shares *s, size_t place);

/* That was the message's own trouble. False without memory. */
bool p3_shares_note_own(p3_shares *s, const p3_problem *why);

/* The message is complete for all parts that it goes to. failed() is told where it is not, and says
 * whether the others count. False, with the problem, when they do not, or are fewer than `least`.
 */
bool p3_shares_finish(p3_shares *s, p3_parcel *out, size_t least,
                      bool (*failed)(p3_shares *s, size_t place, const p3_problem *why),
                      p3_problem *why);
void p3_shares_abandon(p3_delivery *d);
void p3_shares_discard(p3_delivery *d, const p3_parcel *parcels, size_t count);
void p3_shares_seal(p3_delivery *d, p3_batch *batch);

/* Hands a share the prints that its parcels have in the whole batch, and delivers it. */
void p3_share_deliver(p3_share *share, const p3_batch *whole);

/* Frees the shares of a batch; or NULL. */
void p3_shares_free(const p3_shares *s, p3_share *at);

/* Throws away what is in hand and what is finished, and closes the parts: the first at last. */
void p3_shares_close(p3_shares *s);

#endif
