/* Observes a quota of units a minute. */
#include "deliver/rate_limit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The token bucket as one time (the generic cell rate algorithm): when it will be full again. */
struct p3_rate_limit {
    p3_rate_limit *next;
    char *name;
    p3_quota quota;
    int64_t full_us;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static p3_rate_limit *first;

static int64_t time_of(const p3_rate_limit *p, unsigned units)
{
    return (int64_t)units * 60000000 / p->quota.a_minute;
}

static p3_rate_limit *add_limit(const char *name, p3_quota quota)
{
    p3_rate_limit *p = calloc(1, sizeof *p);
    if (p == NULL || (p->name = strdup(name)) == NULL) {
        free(p);
        return NULL;
    }
    p->quota = quota;
    p->full_us = INT64_MIN;
    p->next = first;
    first = p;
    return p;
}

p3_rate_limit *p3_rate_limit_of(const char *name, p3_quota quota)
{
    pthread_mutex_lock(&mutex);
    p3_rate_limit *p = first;
    while (p != NULL && strcmp(p->name, name) != 0)
        p = p->next;
    if (p == NULL)
        p = add_limit(name, quota);
    pthread_mutex_unlock(&mutex);
    return p;
}

int64_t p3_rate_limit_spend(p3_rate_limit *p, unsigned units, int64_t now_ms)
{
    int64_t now = now_ms * 1000;
    pthread_mutex_lock(&mutex);
    if (p->full_us < now)
        p->full_us = now;
    p->full_us += time_of(p, units);
    int64_t wait = p->full_us - time_of(p, p->quota.burst) - now;
    pthread_mutex_unlock(&mutex);
    return wait > 0 ? (wait + 999) / 1000 : 0;
}

void p3_rate_limit_hold(p3_rate_limit *p, int64_t until_ms)
{
    pthread_mutex_lock(&mutex);
    int64_t full = until_ms * 1000 + time_of(p, p->quota.burst);
    if (p->full_us < full)
        p->full_us = full;
    pthread_mutex_unlock(&mutex);
}
