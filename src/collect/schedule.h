/* Decides which account is visited next. Each step costs as much as is due at the time, whatever
 * the number of accounts: accounts that wait for a time are in a heap, those that wait for their
 * host or mailbox in a queue of it. */
#ifndef P3_COLLECT_SCHEDULE_H
#define P3_COLLECT_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/account.h"

typedef struct p3_schedule p3_schedule;

/* Creates a schedule in which each account is due at once, in order. At most `jobs` accounts are
 * active at a time, at most `per_host` of one host, and one of those that are the same mailbox (the
 * state's lock only excludes other processes). Returns NULL when out of memory. */
p3_schedule *p3_schedule_new(const p3_account *const *accounts, size_t count, unsigned jobs,
                             unsigned per_host);

/* Takes an account that is due; it is active until one of the next two is called. Hosts take turns.
 * Returns false when none may begin. `now`: milliseconds. */
bool p3_schedule_take(p3_schedule *s, int64_t now, size_t *which);

/* The account is not active any more, and is due again at a time, before the others of its host; 0:
 * at once. Returns false when out of memory; then it is finished. */
bool p3_schedule_again(p3_schedule *s, size_t which, int64_t when);

/* The account is finished. */
void p3_schedule_finish(p3_schedule *s, size_t which);

/* When the next waiting account is due, in milliseconds; INT64_MAX: none, or none may begin before
 * another ends. */
int64_t p3_schedule_next(const p3_schedule *s);

/* The number of active accounts. */
size_t p3_schedule_active(const p3_schedule *s);

void p3_schedule_free(p3_schedule *s);

#endif
