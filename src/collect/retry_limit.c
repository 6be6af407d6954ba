/* How often a run visits an account again whose session broke. */
#include "collect/retry_limit.h"

/* What this run itself has delivered: the server may not list messages of earlier runs any more. */
static uint64_t own(const p3_tally *t)
{
    return t->delivered - t->settled;
}

/* Of those, each counts once. */
static uint64_t progress(const p3_tally *t)
{
    return own(t) < t->listed_most ? own(t) : t->listed_most;
}

bool p3_retry_limit_allows(p3_retry_limit *a, const p3_tally *before, const p3_tally *after,
                           bool careful)
{
    /* New mail lengthens the listing, and is not waited for. */
    bool further = progress(after) > own(before);
    a->sessions++;
    a->fruitless = further || careful ? 0 : a->fruitless + 1;
    return a->fruitless <= P3_FRUITLESS && a->sessions < P3_SESSIONS_MOST;
}

uint64_t p3_retry_limit_messages(const p3_tally *t)
{
    uint64_t most = t->listed_most * P3_COPIES_MOST; /* a listing has at most 2,000,000 */
    return own(t) < most ? most - own(t) : 0;
}
