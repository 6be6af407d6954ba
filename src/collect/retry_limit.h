/* How often a run visits an account again whose session broke. Every limit here counts our own
 * actions: no text of the server prolongs a run, except that each message in its listing allows two
 * deliveries. */
#ifndef P3_COLLECT_RETRY_LIMIT_H
#define P3_COLLECT_RETRY_LIMIT_H

#include "collect/notice.h"

/* The most sessions of an account in a run, and the most in a row without progress. */
#define P3_SESSIONS_MOST 1000
#define P3_FRUITLESS     2

/* A run delivers at most this many times as many messages as its longest listing had, because a
 * message may have to be delivered twice, for instance after a session that fell out of step. */
#define P3_COPIES_MOST 2

/* All zero before the first session. */
typedef struct p3_retry_limit {
    unsigned sessions;  /* completed sessions */
    unsigned fruitless; /* sessions in a row without progress */
} p3_retry_limit;

/* A session broke. `before` and `after` are the tallies of the run; `careful`: the next one works
 * in another way. Returns whether there may be another. */
bool p3_retry_limit_allows(p3_retry_limit *a, const p3_tally *before, const p3_tally *after,
                           bool careful);

/* The number of messages that may still be delivered in this run. */
uint64_t p3_retry_limit_messages(const p3_tally *tally);

#endif
