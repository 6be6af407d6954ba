/* Retrieves messages: the window of RETRs, and each message until it is handed in. */
#ifndef P3_COLLECT_RETRIEVER_H
#define P3_COLLECT_RETRIEVER_H

#include "collect/recorder.h"
#include "collect/window.h"
#include "deliver/message.h"

/* What happens to the message that is being received. */
typedef enum p3_in_hand {
    P3_IN_HAND_NONE = 0, /* nothing has been received */
    P3_IN_HAND_WRITTEN,
    P3_IN_HAND_LEFT,  /* the targets that lack it cannot be reached; it is discarded */
    P3_IN_HAND_FAILED /* it cannot be delivered; the rest is discarded */
} p3_in_hand;

typedef struct p3_retriever {
    p3_maildrop *drop;
    p3_recorder *recorder;
    const p3_name_list *names;                        /* in the order of the window */
    const char *host;                                 /* this machine's name, for a Received line */
    void (*came)(void *ctx, const p3_parcel *parcel); /* called when a message is complete */
    void *ctx;
    bool steps; /* each message is proven before the next is requested, so that a failure is its own
                 */
    p3_window window;
    p3_delivery *delivery; /* NULL: there is nothing to retrieve */
    p3_message message;
    p3_in_hand in_hand;
    uint64_t octets;   /* received octets of the current message */
    unsigned refusals; /* messages refused in a row */
    bool odd;          /* a message began with a status line and did not have the announced size */
    bool slipped;      /* one did not have the listed size: those after it may be others */
    bool endless;      /* one was given up because it exceeded the limit */
    bool broke;        /* the session ended within a message */
    bool blamed; /* the session ended when a message was requested, which is retrieved last next
                    time */
    bool others; /* some must be retrieved again in another visit: see set_apart() */
} p3_retriever;

/* Adds messages, and opens the target for them. drop, recorder, names, host, came and ctx must be
 * set. Returns false with the problem. */
bool p3_retriever_begin(p3_retriever *r, const size_t *mails, size_t count, p3_problem *why);

/* The first `allowed` messages may be requested: their intents are recorded. */
void p3_retriever_allow(p3_retriever *r, size_t allowed);

/* Whether the end of the session with `status` means that replies did not match the commands sent.
 */
bool p3_retriever_is_out_of_step(const p3_retriever *r, pop3_status status);

void p3_retriever_free(p3_retriever *r);

#endif
