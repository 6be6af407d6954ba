/* The dialogue with an LMTP or SMTP server: a connection, commands, replies. */
#ifndef P3_DELIVER_LMTP_DIALOGUE_H
#define P3_DELIVER_LMTP_DIALOGUE_H

#include <stdbool.h>
#include <stdint.h>

#include "deliver/server_address.h"
#include "deliver/spool.h"
#include "deliver/wire.h"
#include "support/problem.h"

/* Octets of a line that are kept: RFC 5321 §4.5.3.1.5 has 512. The rest is skipped. */
#define P3_REPLY_LINE 1000
/* Octets read from a file, and sent, at a time. */
#define P3_PIECE ((size_t)32 * 1024)

/* Milliseconds for a reply, and for the reply to a message (RFC 5321 §4.5.3.2). */
#define P3_REPLY_MS   (5 * 60 * 1000)
#define P3_MESSAGE_MS (10 * 60 * 1000)

/* What the server announces. */
enum { P3_PIPELINING = 1, P3_8BITMIME = 2, P3_SMTPUTF8 = 4, P3_SIZE = 8, P3_CAN_ENCRYPT = 16 };

/* What happened to a message for one recipient, or to a step. */
typedef enum p3_lmtp_outcome {
    P3_LMTP_OK,        /* accepted: the server is responsible for it */
    P3_LMTP_TEMPORARY, /* refused temporarily (4xx) */
    P3_LMTP_PERMANENT, /* refused permanently (5xx) */
    P3_LMTP_LOST       /* the connection broke: unknown, if the whole message was sent */
} p3_lmtp_outcome;

typedef struct p3_dialogue {
    p3_wire *wire; /* NULL: it has ended */
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

/* Connects and sends the greeting. False, with the problem; the dialogue has ended then. */
bool p3_dialogue_begin_lmtp(p3_dialogue *d, const p3_server_address *to,
                            const p3_lmtp_options *options, p3_problem *why);
bool p3_dialogue_begin_smtp(p3_dialogue *d, const p3_server_url *to,
                            const p3_server_options *options, p3_problem *why);

/* Buffers a line to send, which must fit beside others: addresses are limited. */
void p3_dialogue_put(p3_dialogue *d, const char *line);

/* Sends the buffered lines. False, with errno, when the connection is lost. */
bool p3_dialogue_flush(p3_dialogue *d);

/* Sends a message's text, except for what remains to be flushed. Line ends become CRLF, also a bare
 * CR or LF (RFC 5321 §2.3.8: otherwise a mail could end itself and begin another one), and a dot at
 * the beginning of a line is doubled. False, with the problem, when the connection is lost. */
bool p3_dialogue_send_text(p3_dialogue *d, const p3_spool_mail *mail, p3_problem *why);

/* Reads a reply; `greets`: the reply to LHLO. False, with errno, when none arrives. */
bool p3_dialogue_hear(p3_dialogue *d, p3_reply *r, int ms, bool greets);

/* Sends the buffered lines, and reads the reply to a command. False, with errno. */
bool p3_dialogue_ask(p3_dialogue *d, p3_reply *r);

/* Whether the server has sent something unexpected. */
bool p3_dialogue_has_spoken(const p3_dialogue *d);

/* 2xx, 4xx or 5xx; 3xx requests more, which only DATA may do. */
bool p3_reply_is_final(const p3_reply *r);

p3_lmtp_outcome p3_reply_outcome(const p3_reply *r);

/* Describes a refusal: the reply's text has the enhanced status code (RFC 2034), if there is one.
 */
p3_lmtp_outcome p3_reply_refuse(const char *what, const p3_reply *r, p3_problem *why);

/* The connection is lost, for the reason in errno. Returns false. */
bool p3_dialogue_lose(p3_dialogue *d, const char *doing, p3_problem *why);

/* Closes the dialogue, if it has not ended: without QUIT, which returns false; or after QUIT. */
bool p3_dialogue_end(p3_dialogue *d);
void p3_dialogue_quit(p3_dialogue *d);

#endif
