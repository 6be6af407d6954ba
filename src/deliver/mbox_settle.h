/* After a crash: finds out which messages were appended to an mbox. */
#ifndef P3_DELIVER_MBOX_SETTLE_H
#define P3_DELIVER_MBOX_SETTLE_H

#include "deliver/mbox_spool.h"

/* Marks the delivered intents, repairs the end of the mbox, and removes files that are not needed.
 * The spools that had the evidence are added to `*sealed`: they are removed when the result is
 * recorded. */
bool p3_mbox_settle(const char *path, const char *owner, p3_left_over *at, size_t count,
                    p3_mbox_spool **sealed, p3_problem *why);

/* See p3_target_has(). */
bool p3_mbox_has_spool(const char *path, const char *owner);

#endif
