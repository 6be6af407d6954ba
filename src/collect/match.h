/* Finds the rows of messages whose headers were requested: by header, unique-id and size, or by the
 * whole message. Any number of messages may have the same header, and the order of the listing may
 * have changed. */
#ifndef P3_COLLECT_MATCH_H
#define P3_COLLECT_MATCH_H

#include "collect/listing.h"

/* Which rows may be matched. */
typedef struct p3_match {
    const p3_rows *rows;
    bool *claimed;   /* for each row: it belongs to a listed message; set for matches */
    bool renumbered; /* known messages may have got other unique-ids */
} p3_match;

/* Matches messages with rows by their headers, and sets their rows. Returns false when out of
 * memory. */
bool p3_match_headers(p3_listing *box, const p3_match *match);

/* Matches messages that are not those of their rows by their bodies. Returns false when out of
 * memory. */
bool p3_match_bodies(p3_listing *box, const p3_match *match);

#endif
