/* Intents that an interrupted run left over, and about which a target is asked. */
#ifndef P3_DELIVER_LEFT_OVER_H
#define P3_DELIVER_LEFT_OVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The place of a message in a folder of an IMAP server (RFC 4315); all zero: unknown. */
typedef struct p3_imap_place {
    uint32_t uid;
    uint32_t validity; /* UIDVALIDITY */
} p3_imap_place;

/* A question about an intent that was left over: has the message been delivered? */
typedef struct p3_left_over {
    const char *name;
    size_t row;    /* belongs to the caller */
    bool any_time; /* it may have been delivered before other messages of the account */
    bool there;
    p3_imap_place place; /* of the message found, in an IMAP folder */
    uint16_t members;    /* of a list: the members that have it, as recorded, and then as found */
    uint16_t unasked;    /* of a list: the members that could not be asked */
} p3_left_over;

/* Orders them by name, for qsort() and bsearch(). */
int p3_left_over_compare(const void *a, const void *b);

#endif
