/* How often a run comes back to an account whose session broke. Every bound here counts what we
 * have done: nothing that a server says makes a run longer, but for the messages that it lists,
 * each of which is worth two deliveries at most. */
#ifndef P3_COLLECT_RETRY_LIMIT_H
#define P3_COLLECT_RETRY_LIMIT_H

#include "collect/notice.h"

/* Sessions of one account in one run, and those of them in a row that got no further. */
#define P3_SESSIONS_MOST 1000
#define P3_FRUITLESS     2

/* A run delivers no more than so many times what the longest listing had: a message may have to be
 * delivered twice, after a session out of step say. */
#define P3_COPIES_MOST 2

/* All zero before the first session. */
typedef struct p3_retry_limit {
    unsigned sessions;  /* that are over */
    unsigned fruitless; /* in a row, by now */
} p3_retry_limit;

/* A session is over that broke. `before` and `after` are the tallies of the run; `careful`: the
 * next one takes more care. Returns whether there may be a next one. */
bool p3_retry_limit_allows(p3_retry_limit *a, const p3_tally *before, const p3_tally *after,
                           bool careful);

/* How many messages may still be delivered in this run. */
uint64_t p3_retry_limit_messages(const p3_tally *tally);

#endif
