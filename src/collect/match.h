/* Finds the rows of messages that were looked at: by their headers, unique-ids and sizes, or to the
 * last octet. As many messages as one likes may have the same header, and no server promises to
 * list them in the order of last time. */
#ifndef P3_COLLECT_MATCH_H
#define P3_COLLECT_MATCH_H

#include "collect/mailbox.h"

/* A message that was compared to the last octet, and is another than that of its row. */
typedef struct p3_other {
    size_t mail; /* index in the mailbox */
    p3_fingerprint header;
    p3_fingerprint body;
} p3_other;

/* Those of a session. Starts from zero. */
typedef struct p3_others {
    p3_other *at;
    size_t count;
    p3_room room;
} p3_others;

/* Returns false when out of memory. */
bool p3_others_add(p3_others *others, p3_other other);

void p3_others_free(p3_others *others);

/* Which rows may be found. */
typedef struct p3_match {
    const p3_rows *rows;
    bool *claimed; /* for each row: it is that of a message in the mailbox; set for what is found */
    bool renumbered; /* known messages may have got other unique-ids */
} p3_match;

/* Sets the row of each message that it finds one for by its header. Returns false when out of
 * memory. */
bool p3_match_headers(p3_mailbox *box, const p3_match *match);

/* The same to the last octet, of messages that have no row. */
bool p3_match_bodies(p3_mailbox *box, const p3_match *match, const p3_others *others);

#endif
