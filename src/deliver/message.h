/* One message on its way from the server to a target: converts line ends, adds header lines,
 * collects large writes, and keeps the header for its fingerprint. */
#ifndef P3_DELIVER_MESSAGE_H
#define P3_DELIVER_MESSAGE_H

#include "deliver/delivery.h"
#include "support/fingerprint.h"

typedef enum p3_line_ends {
    P3_LINES_LF = 0, /* CRLF becomes LF */
    P3_LINES_CRLF    /* a bare LF becomes CRLF */
} p3_line_ends;

/* Of which messages the fingerprint of the body is computed. */
typedef enum p3_bodies {
    P3_BODIES_NONE = 0,
    P3_BODIES_COMMON, /* if other messages may have the same header */
    P3_BODIES_ALL
} p3_bodies;

typedef struct p3_message {
    p3_delivery *delivery;
    p3_line_ends line_ends;
    char *buffer; /* octets that have not been written yet */
    size_t used;
    char last;    /* the last octet, if it matters for the next */
    bool held_cr; /* the last octet was a CR: the next one decides what it is */
    bool begun;   /* the delivery has begun */
    const char *name;
    const char *left; /* see p3_message_begin_for() */
    p3_header header;
    p3_body_hash *hash; /* of the body */
    p3_bodies bodies;
    bool wants_body;      /* of this message */
    bool ended;           /* p3_message_end() was called for this one, and has set: */
    p3_fingerprint print; /* of the header */
    p3_fingerprint whole; /* of the body, if the delivery has prints or it is wanted */
    p3_fingerprint body;  /* the same if it is wanted and not too large; else zero */
    p3_problem why;       /* what failed */
} p3_message;

/* Prepares for any number of messages to one target. Returns false when out of memory. */
bool p3_message_init(p3_message *m, p3_delivery *d, p3_line_ends ends, p3_bodies bodies);
void p3_message_free(p3_message *m);

/* Begins a message that will be delivered under a name, which must exist until it is finished. */
void p3_message_begin(p3_message *m, const char *name);

/* The same for a message that only one of its recipients lacks; NULL: as above. */
void p3_message_begin_for(p3_message *m, const char *name, const char *left);

/* Adds our own text, such as header lines, before the message. Lines end with LF. */
bool p3_message_add(p3_message *m, const char *text);

/* Adds a piece of the message. Returns false, with `why`, when it cannot be delivered. */
bool p3_message_take(p3_message *m, const char *data, size_t len);

/* The message is complete: computes its fingerprints. */
void p3_message_end(p3_message *m);

/* The same, unless it was done, and fills in the parcel. */
bool p3_message_finish(p3_message *m, p3_parcel *out);

/* Discards the message. */
void p3_message_abandon(p3_message *m);

#endif
