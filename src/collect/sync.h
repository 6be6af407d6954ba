/* Delivers the mail of mailboxes to targets, exactly once: the interface of this room.
 *
 * The order of effects for a message: its intent is recorded; it is written to the target's spool;
 * the data is synced; it gets its name; the directory is synced; it is recorded as delivered; only
 * then DELE is sent, then QUIT; then the deletion is recorded. Each step is done for many messages
 * at once. */
#ifndef P3_COLLECT_SYNC_H
#define P3_COLLECT_SYNC_H

#include <poll.h>

#include "collect/options.h"

/* Visits all accounts. Returns false, with the problem, when the run could not begin. Otherwise
 * `*status` is its result: 0, or an EX_ value of sysexits.h. A permanent failure takes precedence
 * over EX_TEMPFAIL. */
bool p3_sync(const p3_sync_options *options, const p3_account *const *accounts, size_t count,
             int *status, p3_problem *why);

/* The same for an event loop of the caller, which steps when a descriptor is ready or the time has
 * come. The arguments of p3_sync_begin() must exist until the end. */
typedef struct p3_loop p3_loop;

/* Begins a run. Returns NULL with the problem when that fails. */
p3_loop *p3_sync_begin(const p3_sync_options *options, const p3_account *const *accounts,
                       size_t count, p3_problem *why);

/* Does what can be done without waiting. Returns false when everything is done. */
bool p3_sync_step(p3_loop *l);

/* What to wait for, besides `stop_fd`: the descriptors, and the milliseconds after which to step in
 * any case, or -1. Returns the number of descriptors. */
size_t p3_sync_waits(p3_loop *l, const struct pollfd **fds, int *timeout);

/* Steps and waits until everything is done. */
void p3_sync_run(p3_loop *l);

/* Ends a run, and gives up pending work: waits for the disk at most. `*status` as with p3_sync().
 */
void p3_sync_end(p3_loop *l, int *status);

#endif
