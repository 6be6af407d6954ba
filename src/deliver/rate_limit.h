/* Observes a quota of units a minute, for the whole process. */
#ifndef P3_DELIVER_RATE_LIMIT_H
#define P3_DELIVER_RATE_LIMIT_H

#include <stdint.h>

/* A quota: how many units may be spent at once, and how many are added in a minute. */
typedef struct p3_quota {
    unsigned burst;
    unsigned a_minute;
} p3_quota;

typedef struct p3_rate_limit p3_rate_limit;

/* The rate limit of a name; the first caller sets its quota. It remains until the process ends, so
 * that what was spent counts when another account delivers to the same place. NULL when out of
 * memory. All of these are thread-safe. */
p3_rate_limit *p3_rate_limit_of(const char *name, p3_quota quota);

/* Spends units. Returns the milliseconds after which the request may be sent. */
int64_t p3_rate_limit_spend(p3_rate_limit *p, unsigned units, int64_t now_ms);

/* No request may be sent before that time, and then not all at once: the server has asked for it.
 */
void p3_rate_limit_hold(p3_rate_limit *p, int64_t until_ms);

#endif
