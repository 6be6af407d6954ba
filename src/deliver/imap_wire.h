/* The octets of a connection to an IMAP server: libcurl connects, encrypts and logs in; lines go
 * out, and responses come in. It blocks, with deadlines. Nothing that a server says makes it use
 * more memory. Where it fails, errno says why: 0 for an end, EPROTO for what is no IMAP. */
#ifndef P3_DELIVER_IMAP_WIRE_H
#define P3_DELIVER_IMAP_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "deliver/imap_options.h"

/* Octets of a response that are kept: the rest is passed over. */
#define P3_RESPONSE_TEXT 4096

typedef enum p3_imap_kind { P3_IMAP_UNTAGGED, P3_IMAP_CONTINUE, P3_IMAP_TAGGED } p3_imap_kind;

typedef struct p3_imap_response {
    p3_imap_kind kind;
    unsigned tag;                /* P3_IMAP_TAGGED: of which command */
    bool is_cut;                 /* it was longer */
    char text[P3_RESPONSE_TEXT]; /* behind the tag, the star or the plus; with its literals */
} p3_imap_response;

typedef struct p3_imap_wire p3_imap_wire;

/* Connects and logs in. NULL, with the problem. */
p3_imap_wire *p3_imap_wire_open(const p3_imap_address *to, const p3_imap_options *options,
                                p3_problem *why);

/* Gathers octets to be sent, and sends them when they are many. False with errno. */
bool p3_imap_put(p3_imap_wire *w, const char *data, size_t len);
bool p3_imap_flush(p3_imap_wire *w);

/* Reads a response, until a time of p3_clock_ms(). False with errno. */
bool p3_imap_read(p3_imap_wire *w, p3_imap_response *r, int64_t until);

/* NULL does nothing. */
void p3_imap_wire_close(p3_imap_wire *w);

#endif
