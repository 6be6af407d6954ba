/* Whether messages that were found by their headers are those that were delivered, to the last
 * octet: before one is deleted, and where a header does not say which message it is. It is
 * retrieved once more for that, and not delivered when it is the same. One that is another is new,
 * unless it is that of another row. */
#ifndef P3_COLLECT_COMPARER_H
#define P3_COLLECT_COMPARER_H

#include "collect/window.h"

typedef struct p3_comparer {
    p3_maildrop *drop;
    p3_window window;
    p3_header header;      /* of the message in hand */
    p3_body_hash *body;    /* of the same; NULL when nothing is compared */
    p3_body_hash *as_crlf; /* the same, with a CR before each LF that lacks it */
    char last;             /* the octet of the body that came last */
    uint32_t endless;      /* one that was given up, as it did not end; or 0 */
    uint64_t octets;       /* of the same message, that have come */
} p3_comparer;

/* Asks for the messages that are to be compared, with drop set; there may be none. */
void p3_comparer_begin(p3_comparer *c);

void p3_comparer_free(p3_comparer *c);

#endif
