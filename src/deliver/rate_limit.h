/* Keeps to a quota of units a minute, whoever in this process draws on it. */
#ifndef P3_DELIVER_RATE_LIMIT_H
#define P3_DELIVER_RATE_LIMIT_H

#include <stdint.h>

/* A quota: so many units may be spent at once, and so many come back in a minute. */
typedef struct p3_quota {
    unsigned burst;
    unsigned a_minute;
} p3_quota;

typedef struct p3_rate_limit p3_rate_limit;

/* The pace of those who draw on a quota of one name; the first to come says which quota it is. It
 * stays to the end of the process: what was spent counts on when another account delivers to the
 * same place a moment later. NULL when out of memory. Threads may call all of these. */
p3_rate_limit *p3_rate_limit_of(const char *name, p3_quota quota);

/* Spends units, now. Returns how many milliseconds later the request may go out. */
int64_t p3_rate_limit_spend(p3_rate_limit *p, unsigned units, int64_t now_ms);

/* Nobody may go on before then, and then not all at once: the server has asked for it. */
void p3_rate_limit_hold(p3_rate_limit *p, int64_t until_ms);

#endif
