/* The octets of a connection to an IMAP server: libcurl connects, sets up TLS and logs in; lines
 * are sent, and responses received. It blocks, with deadlines. Nothing that a server sends
 * increases its memory. On failure errno is the reason: 0 for the end of the connection, EPROTO for
 * invalid IMAP. */
#ifndef P3_DELIVER_IMAP_WIRE_H
#define P3_DELIVER_IMAP_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "deliver/imap_options.h"

/* Octets of a response that are kept; the rest is skipped. */
#define P3_RESPONSE_TEXT 4096

typedef enum p3_imap_kind { P3_IMAP_UNTAGGED, P3_IMAP_CONTINUE, P3_IMAP_TAGGED } p3_imap_kind;

typedef struct p3_imap_response {
    p3_imap_kind kind;
    unsigned tag;                /* P3_IMAP_TAGGED: of this command */
    bool is_cut;                 /* it was longer */
    char text[P3_RESPONSE_TEXT]; /* after the tag, the asterisk or the plus, including its literals
                                  */
} p3_imap_response;

typedef struct p3_imap_wire p3_imap_wire;

/* Connects and logs in. NULL, with the problem. */
p3_imap_wire *p3_imap_wire_open(const p3_imap_address *to, const p3_imap_options *options,
                                p3_problem *why);

/* Buffers octets to send, and sends them when there are many. False with errno. */
bool p3_imap_put(p3_imap_wire *w, const char *data, size_t len);
bool p3_imap_flush(p3_imap_wire *w);

/* Reads a response, until a time of p3_clock_ms(). False with errno. */
bool p3_imap_read(p3_imap_wire *w, p3_imap_response *r, int64_t until);

/* NULL does nothing. */
void p3_imap_wire_close(p3_imap_wire *w);

#endif
