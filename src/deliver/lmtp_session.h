/* A connection to an LMTP server (RFC 2033), for many messages; or to an SMTP server (RFC 5321,
 * 6409), which behind the greeting is the same, but for its one answer to a message, where LMTP has
 * one for each recipient. It blocks, with deadlines, and so
 * works in a thread that delivers. Nothing that a server says makes it use more memory. */
#ifndef P3_DELIVER_LMTP_SESSION_H
#define P3_DELIVER_LMTP_SESSION_H

#include "deliver/lmtp_dialogue.h"

typedef struct p3_lmtp_session p3_lmtp_session;

/* Connects and greets. NULL, with the problem, when that fails. */
p3_lmtp_session *p3_lmtp_connect(const p3_server_address *to, const p3_lmtp_options *options,
                                 p3_problem *why);

/* The same to an SMTP server, by TLS, and logs in if the URL has a user. */
p3_lmtp_session *p3_smtp_connect(const p3_server_url *to, const p3_server_options *options,
                                 p3_problem *why);

/* Whether it can take another message. */
bool p3_lmtp_is_usable(const p3_lmtp_session *s);

/* What a refusal is about. */
typedef enum p3_lmtp_about { P3_LMTP_MESSAGE, P3_LMTP_SENDER, P3_LMTP_RECIPIENT } p3_lmtp_about;

typedef struct p3_lmtp_verdict {
    p3_lmtp_outcome is;
    p3_lmtp_about about;
    p3_problem why; /* unless it is P3_LMTP_OK: what the server said */
} p3_lmtp_verdict;

/* Sends one message and waits for the server's word on it; `next`, if there is one, is announced
 * meanwhile, and must be the next that is sent. There is a verdict for each recipient. Those that
 * may not be offered (they have been, or are beyond ASCII and the server lacks SMTPUTF8) are
 * refused for good without it.
 *
 * False, with `why`, when the connection broke: `*sent` is whether all of the message had been
 * sent. If so, there are verdicts, and those without an answer are P3_LMTP_LOST; if not, there are
 * none. */
bool p3_lmtp_send(p3_lmtp_session *s, const p3_spool_mail *mail, const p3_spool_mail *next,
                  p3_lmtp_verdict *verdicts, bool *sent, p3_problem *why);

/* Asks whether the server takes mail from a sender for a recipient, without a message. Nothing may
 * have been announced. False, with `why`, when the connection broke. */
bool p3_lmtp_try(p3_lmtp_session *s, const char *sender, p3_recipient *to, p3_lmtp_verdict *verdict,
                 p3_problem *why);

/* Says goodbye, without waiting for an answer. NULL does nothing. */
void p3_lmtp_end(p3_lmtp_session *s);

#endif
