/* Keeps delivery targets in step with mailboxes, exactly once: the interface of this room.
 *
 * The order of effects for a message: its intent is recorded, it is written to the target's spool,
 * the data is synced, it gets its name, the folder is synced, it is recorded as delivered; only
 * then comes DELE, then QUIT, and then the deletion is recorded. Each step is done for many
 * messages at once. */
#ifndef P3_COLLECT_SYNC_H
#define P3_COLLECT_SYNC_H

#include "collect/options.h"

/* Works on all accounts. Returns false, with the problem, when the run could not be begun. Else
 * `*status` says how it ended: 0, or an EX_ value of sysexits.h. What does not mend by itself takes
 * precedence over EX_TEMPFAIL. */
bool p3_sync(const p3_sync_options *options, const p3_account *const *accounts, size_t count,
             int *status, p3_problem *why);

#endif
