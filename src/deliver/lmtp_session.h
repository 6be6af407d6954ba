/* A connection to an LMTP server (RFC 2033), for many messages; or to an SMTP server (RFC 5321,
 * 6409), which for one recipient is the same behind the greeting. It blocks, with deadlines, and so
 * works in a thread that delivers. Nothing that a server says makes it use more memory. */
#ifndef P3_DELIVER_LMTP_SESSION_H
#define P3_DELIVER_LMTP_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "deliver/address.h"
#include "deliver/spool.h"
#include "deliver/wire.h"
#include "support/problem.h"

/* What became of a message, or of a step on its way. */
typedef enum p3_lmtp_outcome {
    P3_LMTP_OK,        /* accepted: the server is responsible for it */
    P3_LMTP_TEMPORARY, /* refused for now (4xx) */
    P3_LMTP_PERMANENT, /* refused for good (5xx) */
    P3_LMTP_LOST       /* the connection broke: nobody knows, if all of the message was sent */
} p3_lmtp_outcome;

typedef struct p3_lmtp_session p3_lmtp_session;

/* Connects and greets. NULL, with the problem, when that fails. */
p3_lmtp_session *p3_lmtp_connect(const p3_address *to, p3_problem *why);

/* The same to an SMTP server, by TLS, and logs in if the URL has a user. */
p3_lmtp_session *p3_smtp_connect(const p3_server_url *to, const p3_server_options *options,
                                 p3_problem *why);

/* Whether it can take another message. */
bool p3_lmtp_is_usable(const p3_lmtp_session *s);

/* Sends one message and waits for the server's word on it; `next`, if there is one, is announced
 * meanwhile, and must be the next that is sent. `why` says what the server said, unless it is
 * P3_LMTP_OK; with P3_LMTP_LOST, `*sent` is whether all of the message had been sent. */
p3_lmtp_outcome p3_lmtp_send(p3_lmtp_session *s, const p3_spool_mail *mail,
                             const p3_spool_mail *next, bool *sent, p3_problem *why);

/* Says goodbye, without waiting for an answer. NULL does nothing. */
void p3_lmtp_end(p3_lmtp_session *s);

#endif
