/* What is said with an LMTP or SMTP server: a connection to it, commands out, replies in. */
#ifndef P3_DELIVER_LMTP_DIALOGUE_H
#define P3_DELIVER_LMTP_DIALOGUE_H

#include <stdbool.h>
#include <stdint.h>

#include "deliver/server_address.h"
#include "deliver/spool.h"
#include "deliver/wire.h"
#include "support/problem.h"

/* Octets of a line that are kept: RFC 5321 §4.5.3.1.5 has 512. The rest is passed over. */
#define P3_REPLY_LINE 1000
/* Octets of a file that are read, and that are sent, at a time. */
#define P3_PIECE ((size_t)32 * 1024)

/* Milliseconds: for a reply, and for that to a message (RFC 5321 §4.5.3.2). */
#define P3_REPLY_MS   (5 * 60 * 1000)
#define P3_MESSAGE_MS (10 * 60 * 1000)

/* What the server announces. */
enum { P3_PIPELINING = 1, P3_8BITMIME = 2, P3_SMTPUTF8 = 4, P3_SIZE = 8, P3_CAN_ENCRYPT = 16 };

/* What became of a message for one of its recipients, or of a step on its way. */
typedef enum p3_lmtp_outcome {
    P3_LMTP_OK,        /* accepted: the server is responsible for it */
    P3_LMTP_TEMPORARY, /* refused for now (4xx) */
    P3_LMTP_PERMANENT, /* refused for good (5xx) */
    P3_LMTP_LOST       /* the connection broke: nobody knows, if all of the message was sent */
} p3_lmtp_outcome;

typedef struct p3_dialogue {
    p3_wire *wire; /* NULL: it is over */
    const char *protocol;
    unsigned announced;
    uint64_t size_limit; /* 0: none */
    p3_wire_input in;
    size_t out_used;
    char out[3 * P3_PIECE + 16]; /* two pieces, and the commands for P3_RECIPIENTS_MOST */
} p3_dialogue;

/* A reply: its code, and its lines joined. */
typedef struct p3_reply {
    int code;
    char text[P3_REPLY_LINE];
} p3_reply;

/* Connects and greets. False, with the problem, when that fails: it is over then. */
bool p3_dialogue_begin_lmtp(p3_dialogue *d, const p3_server_address *to,
                            const p3_lmtp_options *options, p3_problem *why);
bool p3_dialogue_begin_smtp(p3_dialogue *d, const p3_server_url *to,
                            const p3_server_options *options, p3_problem *why);

/* Gathers a line to be sent, which must fit beside others: addresses are bounded. */
void p3_dialogue_put(p3_dialogue *d, const char *line);

/* Sends what has been gathered. False, with errno, when the connection is over. */
bool p3_dialogue_flush(p3_dialogue *d);

/* Sends a message's text, but for what is left to be flushed: line ends become CRLF, a CR or LF
 * alone included (RFC 5321 §2.3.8: else a mail could end itself and begin another), and a dot at
 * the beginning of a line is doubled. False, with the problem, when it is over. */
bool p3_dialogue_send_text(p3_dialogue *d, const p3_spool_mail *mail, p3_problem *why);

/* Reads a reply; `greets`: it is that to LHLO. False, with errno, when none comes. */
bool p3_dialogue_hear(p3_dialogue *d, p3_reply *r, int ms, bool greets);

/* Sends what has been gathered, and reads the reply to a command. False, with errno. */
bool p3_dialogue_ask(p3_dialogue *d, p3_reply *r);

/* Whether the server has said something that it was not asked for. */
bool p3_dialogue_has_spoken(const p3_dialogue *d);

/* 2xx, 4xx or 5xx: 3xx asks for more, which only DATA may. */
bool p3_reply_is_final(const p3_reply *r);

p3_lmtp_outcome p3_reply_outcome(const p3_reply *r);

/* Describes a refusal: the reply's text has the enhanced status code (RFC 2034), if there is one.
 */
p3_lmtp_outcome p3_reply_refuse(const char *what, const p3_reply *r, p3_problem *why);

/* The connection is over, for the reason in errno. Returns false. */
bool p3_dialogue_lose(p3_dialogue *d, const char *doing, p3_problem *why);

/* Closes it, if it is not over: without a word, which returns false; or after a goodbye. */
bool p3_dialogue_end(p3_dialogue *d);
void p3_dialogue_quit(p3_dialogue *d);

#endif
