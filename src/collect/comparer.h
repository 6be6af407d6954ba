/* Compares messages that were found by their headers with those that were delivered, to the last
 * octet: before a message is deleted, or if a header does not identify one message. The message is
 * retrieved once more for that, and is not delivered if it is the same. If it differs, it is new,
 * unless it is the message of another row. */
#ifndef P3_COLLECT_COMPARER_H
#define P3_COLLECT_COMPARER_H

#include "collect/window.h"

typedef struct p3_comparer {
    p3_maildrop *drop;
    p3_window window;
    p3_header header;      /* of the current message */
    p3_body_hash *body;    /* hash of its body; NULL: nothing is compared */
    p3_body_hash *as_crlf; /* the same, with a CR before each bare LF */
    char last;             /* the last octet of the body */
    uint32_t
        endless;     /* number of a message that was given up because it exceeded the limit; or 0 */
    uint64_t octets; /* received octets of the current message */
} p3_comparer;

/* Requests the messages to compare, possibly none. drop must be set. */
void p3_comparer_begin(p3_comparer *c);

void p3_comparer_free(p3_comparer *c);

#endif
