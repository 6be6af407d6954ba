/* A session with an IMAP server (RFC 9051): messages are appended to a folder, several under way
 * at a time, and messages are looked for in it. */
#ifndef P3_DELIVER_IMAP_SESSION_H
#define P3_DELIVER_IMAP_SESSION_H

#include "deliver/delivery.h"
#include "deliver/imap_mail.h"

/* What became of a message. */
typedef enum p3_imap_outcome {
    P3_IMAP_APPENDED,  /* it is in the folder */
    P3_IMAP_SENT,      /* all of it is on its way: p3_imap_hear() tells */
    P3_IMAP_LATER,     /* refused, for a reason that passes, or that is not the message's */
    P3_IMAP_DOUBTFUL,  /* refused, and nothing says why: the message, or anything else */
    P3_IMAP_REFUSED,   /* refused for good, for what the message is */
    P3_IMAP_NO_FOLDER, /* refused: there is no such folder */
    P3_IMAP_LOST       /* the connection broke */
} p3_imap_outcome;

typedef struct p3_imap_session p3_imap_session;

/* Connects, logs in, and asks what the server can do. NULL, with the problem. */
p3_imap_session *p3_imap_connect(const p3_imap_address *to, const p3_imap_options *options,
                                 p3_problem *why);

/* Appends to the folder of another address of the same server from here on. Nothing may be on its
 * way. */
void p3_imap_turn_to(p3_imap_session *s, const p3_imap_address *to);

/* Whether it can be used further. */
bool p3_imap_is_usable(const p3_imap_session *s);

/* How many messages are on their way. */
size_t p3_imap_under_way(const p3_imap_session *s);

/* Whether a message may be sent before all that are on their way have been heard of. */
bool p3_imap_may_send(const p3_imap_session *s, const p3_imap_mail *mail);

/* Sends a message. Unless it is P3_IMAP_SENT, `why` says why it is not. After P3_IMAP_LOST, this
 * one was not sent as a whole, and it is in no folder. */
p3_imap_outcome p3_imap_send(p3_imap_session *s, const p3_imap_mail *mail, p3_problem *why);

/* Hears of the message that is on its way for longest. Never P3_IMAP_SENT. */
p3_imap_outcome p3_imap_hear(p3_imap_session *s, p3_problem *why);

/* Where the message is that was appended last, as far as the server says so (RFC 4315). */
p3_imap_place p3_imap_appended(const p3_imap_session *s);

/* The labels that the messages get, as the protocol has them; "": none. */
const char *p3_imap_labels(const p3_imap_session *s);

/* Makes the folder, and subscribes to it. False, with the problem. */
bool p3_imap_make_folder(p3_imap_session *s, p3_problem *why);

/* One command of which nothing but the answer matters, and each untagged response before it, which
 * goes to `each`. Nothing must be on its way. False, with errno, when the connection is over. */
typedef void p3_imap_each_fn(void *ctx, const p3_imap_response *r);
bool p3_imap_ask(p3_imap_session *s, const char *command, int64_t until, p3_imap_each_fn *each,
                 void *ctx, p3_imap_response *answer);

/* The folder as a string of the protocol. */
const char *p3_imap_folder(const p3_imap_session *s);

/* The connection is over, for the reason in errno. Returns false. */
bool p3_imap_lose(p3_imap_session *s, const char *doing, p3_problem *why);

/* Whether a tagged response says OK. */
bool p3_imap_is_ok(const p3_imap_response *r);

/* Takes the number behind a code of an untagged OK, such as "UIDNEXT"; leaves it as it is where the
 * response is another. */
void p3_imap_take_number(const p3_imap_response *r, const char *code, uint32_t *number);

/* Logs out, without waiting for an answer. NULL does nothing. */
void p3_imap_end(p3_imap_session *s);

#endif
