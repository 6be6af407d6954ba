/* Keeps delivery targets in step with mailboxes, exactly once: the interface of this room.
 *
 * The order of effects for a message: its intent is recorded, it is written to the target's spool,
 * the data is synced, it gets its name, the folder is synced, it is recorded as delivered; only
 * then comes DELE, then QUIT, and then the deletion is recorded. Each step is done for many
 * messages at once. */
#ifndef P3_COLLECT_SYNC_H
#define P3_COLLECT_SYNC_H

#include <poll.h>

#include "collect/options.h"

/* Works on all accounts. Returns false, with the problem, when the run could not be begun. Else
 * `*status` says how it ended: 0, or an EX_ value of sysexits.h. What does not mend by itself takes
 * precedence over EX_TEMPFAIL. */
bool p3_sync(const p3_sync_options *options, const p3_account *const *accounts, size_t count,
             int *status, p3_problem *why);

/* The same for a loop of the caller's, which is to step when a descriptor is ready, or its time has
 * come. What p3_sync_begin() is given must stay until the end. */
typedef struct p3_loop p3_loop;

/* Begins a run. Returns NULL with the problem when that cannot be. */
p3_loop *p3_sync_begin(const p3_sync_options *options, const p3_account *const *accounts,
                       size_t count, p3_problem *why);

/* Waits for nothing: does what can be done. Returns false when all is done. */
bool p3_sync_step(p3_loop *l);

/* What to wait on, besides `stop_fd`: the descriptors, and the milliseconds, or -1, after which to
 * step in any case. Returns how many descriptors there are. */
size_t p3_sync_waits(p3_loop *l, const struct pollfd **fds, int *timeout);

/* Steps and waits until all is done. */
void p3_sync_run(p3_loop *l);

/* Ends a run, and gives up what is under way: that waits for the disk at most. `*status` as of
 * p3_sync(). */
void p3_sync_end(p3_loop *l, int *status);

#endif
