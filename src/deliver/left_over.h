/* What a run that did not end left over: intents of which a target is asked whether they came to
 * anything. */
#ifndef P3_DELIVER_LEFT_OVER_H
#define P3_DELIVER_LEFT_OVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a message is in a folder of an IMAP server (RFC 4315); all zero: it is not known. */
typedef struct p3_imap_place {
    uint32_t uid;
    uint32_t validity; /* of which numbering that is */
} p3_imap_place;

/* What is asked about an intent that was left over: has it been delivered? */
typedef struct p3_left_over {
    const char *name;
    size_t row;    /* the asker's own */
    bool any_time; /* it may have been delivered before others that the target has of the account */
    bool there;
    p3_imap_place place; /* of what is there, if it is such a folder */
    uint16_t members; /* of a list: those that have it, by what was recorded, and then as found */
    uint16_t unasked; /* of a list: those that could not be asked */
} p3_left_over;

/* Orders them by name, for qsort() and bsearch(). */
int p3_left_over_compare(const void *a, const void *b);

#endif
