/* A connection to an LMTP server (RFC 2033) for many messages; or to an SMTP server (RFC 5321,
 * 6409), which after the greeting differs only in its single answer to a message, where LMTP has
 * one for each recipient. It blocks, with deadlines, so it is used in a thread that delivers.
 * Nothing that a server sends increases its memory. */
#ifndef P3_DELIVER_LMTP_SESSION_H
#define P3_DELIVER_LMTP_SESSION_H

#include "deliver/lmtp_dialogue.h"

typedef struct p3_lmtp_session p3_lmtp_session;

/* Connects and sends the greeting. NULL, with the problem. */
p3_lmtp_session *p3_lmtp_connect(const p3_server_address *to, const p3_lmtp_options *options,
                                 p3_problem *why);

/* The same to an SMTP server, by TLS, and logs in if the URL has a user. */
p3_lmtp_session *p3_smtp_connect(const p3_server_url *to, const p3_server_options *options,
                                 p3_problem *why);

/* Whether it can be used for another message. */
bool p3_lmtp_is_usable(const p3_lmtp_session *s);

/* What a refusal is about. */
typedef enum p3_lmtp_about { P3_LMTP_MESSAGE, P3_LMTP_SENDER, P3_LMTP_RECIPIENT } p3_lmtp_about;

typedef struct p3_lmtp_verdict {
    p3_lmtp_outcome is;
    p3_lmtp_about about;
    p3_problem why; /* unless it is P3_LMTP_OK: the server's text */
} p3_lmtp_verdict;

/* Sends one message and waits for the answer; `next`, if there is one, is announced meanwhile, and
 * must be sent next. There is a verdict for each recipient. Recipients that must not be offered
 * (the message has been there, or they are not ASCII and the server lacks SMTPUTF8) are refused
 * permanently without the server.
 *
 * False, with `why`, when the connection broke: `*sent` is whether the whole message had been sent.
 * If so, there are verdicts, and those without an answer are P3_LMTP_LOST; if not, there are none.
 */
bool p3_lmtp_send(p3_lmtp_session *s, const p3_spool_mail *mail, const p3_spool_mail *next,
                  p3_lmtp_verdict *verdicts, bool *sent, p3_problem *why);

/* Asks whether the server accepts mail from a sender for a recipient, without a message. No message
 * may have been announced. False, with `why`, when the connection broke. */
bool p3_lmtp_try(p3_lmtp_session *s, const char *sender, p3_recipient *to, p3_lmtp_verdict *verdict,
                 p3_problem *why);

/* Sends QUIT, without waiting for an answer. NULL does nothing. */
void p3_lmtp_end(p3_lmtp_session *s);

#endif
