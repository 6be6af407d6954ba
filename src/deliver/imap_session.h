/* A session with an IMAP server (RFC 9051): appends messages to a folder, several in flight at a
 * time, and searches for messages. */
#ifndef P3_DELIVER_IMAP_SESSION_H
#define P3_DELIVER_IMAP_SESSION_H

#include "deliver/delivery.h"
#include "deliver/imap_mail.h"

/* What happened to a message. */
typedef enum p3_imap_outcome {
    P3_IMAP_APPENDED,  /* it is in the folder */
    P3_IMAP_SENT,      /* it has been sent: p3_imap_hear() has the answer */
    P3_IMAP_LATER,     /* refused, temporarily or for a reason that is not the message */
    P3_IMAP_DOUBTFUL,  /* refused without a reason: because of the message, or of anything else */
    P3_IMAP_REFUSED,   /* refused permanently, because of the message */
    P3_IMAP_NO_FOLDER, /* refused: the folder does not exist */
    P3_IMAP_LOST       /* the connection broke */
} p3_imap_outcome;

typedef struct p3_imap_session p3_imap_session;

/* Connects, logs in, and requests the capabilities. NULL, with the problem. */
p3_imap_session *p3_imap_connect(const p3_imap_address *to, const p3_imap_options *options,
                                 p3_problem *why);

/* From now on appends to the folder of another address on the same server. No message may be in
 * flight. */
void p3_imap_turn_to(p3_imap_session *s, const p3_imap_address *to);

/* Whether the session can be used further. */
bool p3_imap_is_usable(const p3_imap_session *s);

/* The number of messages in flight. */
size_t p3_imap_under_way(const p3_imap_session *s);

/* Whether another message may be sent before those in flight have been answered. */
bool p3_imap_may_send(const p3_imap_session *s, const p3_imap_mail *mail);

/* Sends a message. Unless it returns P3_IMAP_SENT, `why` is the reason. After P3_IMAP_LOST, this
 * message was not sent completely, and is in no folder. */
p3_imap_outcome p3_imap_send(p3_imap_session *s, const p3_imap_mail *mail, p3_problem *why);

/* Receives the answer for the oldest message in flight. Never P3_IMAP_SENT. */
p3_imap_outcome p3_imap_hear(p3_imap_session *s, p3_problem *why);

/* The place of the message that was appended last, if the server announces it (RFC 4315). */
p3_imap_place p3_imap_appended(const p3_imap_session *s);

/* The labels of the messages, in the protocol's form; "": none. */
const char *p3_imap_labels(const p3_imap_session *s);

/* Creates the folder, and subscribes to it. False, with the problem. */
bool p3_imap_make_folder(p3_imap_session *s, p3_problem *why);

/* Sends a command whose answer alone matters, and passes each untagged response before it to
 * `each`. No message may be in flight. False, with errno, when the connection is lost. */
typedef void p3_imap_each_fn(void *ctx, const p3_imap_response *r);
bool p3_imap_ask(p3_imap_session *s, const char *command, int64_t until, p3_imap_each_fn *each,
                 void *ctx, p3_imap_response *answer);

/* The folder as a string of the protocol. */
const char *p3_imap_folder(const p3_imap_session *s);

/* The connection is lost, for the reason in errno. Returns false. */
bool p3_imap_lose(p3_imap_session *s, const char *doing, p3_problem *why);

/* Whether a tagged response says OK. */
bool p3_imap_is_ok(const p3_imap_response *r);

/* Reads the number after a response code of an untagged OK, such as "UIDNEXT"; leaves it unchanged
 * for other responses. */
void p3_imap_parse_number(const p3_imap_response *r, const char *code, uint32_t *number);

/* Logs out, without waiting for an answer. NULL does nothing. */
void p3_imap_end(p3_imap_session *s);

#endif
