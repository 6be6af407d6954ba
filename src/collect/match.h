/* Finds the rows of messages that were looked at, by their headers, unique-ids and sizes. */
#ifndef P3_COLLECT_MATCH_H
#define P3_COLLECT_MATCH_H

#include "collect/mailbox.h"

/* Which rows may be found. */
typedef struct p3_match {
    const p3_rows *rows;
    bool *claimed; /* for each row: it is that of a message in the mailbox; set for what is found */
    bool renumbered; /* known messages may have got other unique-ids */
} p3_match;

/* Sets the row of each message that it finds one for. Returns false when out of memory. */
bool p3_match_headers(p3_mailbox *box, const p3_match *match);

#endif
