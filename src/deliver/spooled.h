/* Shared by targets at a server: messages are kept in a spool until their batch is delivered. Most
 * functions are those of a class (delivery.h). */
#ifndef P3_DELIVER_SPOOLED_H
#define P3_DELIVER_SPOOLED_H

#include "deliver/delivery.h"
#include "deliver/spool.h"

typedef struct p3_spooled {
    p3_delivery base; /* first in the target's own struct */
    char *where;
    const p3_envelope *envelope;
    const char *server; /* the name of the server, "the IMAP server" */
    p3_spool *spool;    /* of the batch being filled, or NULL */
    const char *name;   /* of the current message, or NULL */
    char *sender;       /* of the current message, if the server gets it; else NULL */
} p3_spooled;

/* Sets all but `server`. Returns false when out of memory. */
bool p3_spooled_init(p3_spooled *s, const p3_delivery_class *class, const char *where,
                     const p3_envelope *envelope);

/* Begins a message to some recipients, or none; `sender` is set if it matters. `behind`: its name
 * is added to its header, in P3_DELIVERY_FIELD, with this text after it; NULL: it is not. */
bool p3_spooled_begin(p3_spooled *s, const char *name, const char *behind, const p3_recipient *to,
                      size_t to_count, p3_problem *why);
bool p3_spooled_write(p3_delivery *d, const char *data, size_t len, p3_problem *why);
bool p3_spooled_finish(p3_delivery *d, p3_parcel *out, p3_problem *why);
void p3_spooled_abandon(p3_delivery *d);
void p3_spooled_discard(p3_delivery *d, const p3_parcel *parcels, size_t count);
void p3_spooled_seal(p3_delivery *d, p3_batch *batch);

/* The spool of a batch to deliver; NULL, with the batch's problem, when it is incomplete. */
const p3_spool *p3_spooled_batch(p3_batch *b);
void p3_spooled_recorded(p3_delivery *d, p3_batch *batch, bool kept);

/* Frees the contents, but not the struct. */
void p3_spooled_clear(p3_spooled *s);

#endif
