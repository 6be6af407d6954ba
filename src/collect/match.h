/* Finds the rows of messages that were looked at: by their headers, unique-ids and sizes, or to the
 * last octet. As many messages as one likes may have the same header, and no server promises to
 * list them in the order of last time. */
#ifndef P3_COLLECT_MATCH_H
#define P3_COLLECT_MATCH_H

#include "collect/listing.h"

/* Which rows may be found. */
typedef struct p3_match {
    const p3_rows *rows;
    bool *claimed; /* for each row: it is that of a message in the mailbox; set for what is found */
    bool renumbered; /* known messages may have got other unique-ids */
} p3_match;

/* Sets the row of each message that it finds one for by its header. Returns false when out of
 * memory. */
bool p3_match_headers(p3_listing *box, const p3_match *match);

/* The same to the last octet, of messages that turned out to be others than those of their rows. */
bool p3_match_bodies(p3_listing *box, const p3_match *match);

#endif
