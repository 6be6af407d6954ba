/* Which account's turn it is. Every step costs what is due at the time, whatever the number of
 * accounts: those that wait for a time are in a heap, those that wait for their host or mailbox in
 * a queue of its own. */
#ifndef P3_COLLECT_SCHEDULE_H
#define P3_COLLECT_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/account.h"

typedef struct p3_schedule p3_schedule;

/* A schedule in which each account is due at once, in their order. At most `jobs` have their turn
 * at a time, at most `per_host` of those at one host, and one of those that are one mailbox (the
 * state's lock only keeps other processes away). Returns NULL when out of memory. */
p3_schedule *p3_schedule_new(const p3_account *const *accounts, size_t count, unsigned jobs,
                             unsigned per_host);

/* Takes an account whose turn it is; it has it until one of the next two is called. Of several
 * hosts each has its turn. Returns false when nothing may begin. `now`: milliseconds. */
bool p3_schedule_take(p3_schedule *s, int64_t now, size_t *which);

/* Its turn is over for now: it is due again at a time, before the others of its host; 0: at once.
 * Returns false when out of memory, and its turn is over for good. */
bool p3_schedule_again(p3_schedule *s, size_t which, int64_t when);

/* Its turn is over for good. */
void p3_schedule_finish(p3_schedule *s, size_t which);

/* When the first is due of those that wait for a time: milliseconds; INT64_MAX: none, or none may
 * begin before another's turn is over. */
int64_t p3_schedule_next(const p3_schedule *s);

/* How many have their turn. */
size_t p3_schedule_active(const p3_schedule *s);

void p3_schedule_free(p3_schedule *s);

#endif
