/* Retrieves messages: the window of RETRs, and each message on its way to the target. */
#ifndef P3_COLLECT_RETRIEVER_H
#define P3_COLLECT_RETRIEVER_H

#include "collect/recorder.h"
#include "collect/window.h"
#include "deliver/message.h"

/* What becomes of the message in hand. */
typedef enum p3_in_hand {
    P3_IN_HAND_NONE = 0, /* nothing of it has come */
    P3_IN_HAND_WRITTEN,
    P3_IN_HAND_LEFT,  /* the targets that lack it are out of reach; it is thrown away */
    P3_IN_HAND_FAILED /* it cannot be delivered; its rest is thrown away */
} p3_in_hand;

typedef struct p3_retriever {
    p3_maildrop *drop;
    p3_recorder *recorder;
    const p3_name_list *names;                        /* in the order of the window */
    const char *host;                                 /* this machine, for a Received line */
    void (*came)(void *ctx, const p3_parcel *parcel); /* a message is complete */
    void *ctx;
    bool steps; /* each message is proven before the next is asked for: trouble is its own */
    p3_window window;
    p3_delivery *delivery; /* NULL: there is nothing to retrieve */
    p3_message message;
    p3_in_hand in_hand;
    uint64_t octets;   /* of the message in hand, that have come */
    unsigned refusals; /* messages refused in a row */
    bool odd;          /* a message began with a status line, and had not its octets */
    bool slipped;      /* one had not the size that is listed: those behind it may be others */
    bool endless;      /* one was given up, as it did not end */
    bool broke;        /* the session ended within one */
    bool blamed;       /* or when the server was asked for one, which is set back */
    bool others;       /* some came that are to come again, in another visit: see set_apart() */
} p3_retriever;

/* Adds messages, and opens the target for them, with drop, recorder, names, host, came and ctx set.
 * Returns false with the problem. */
bool p3_retriever_begin(p3_retriever *r, const size_t *mails, size_t count, p3_problem *why);

/* The first `allowed` may be asked for: their intents are recorded. */
void p3_retriever_allow(p3_retriever *r, size_t allowed);

/* Whether the end of the session with `status` means that replies were not those to the commands
 * sent. */
bool p3_retriever_is_out_of_step(const p3_retriever *r, pop3_status status);

void p3_retriever_free(p3_retriever *r);

#endif
