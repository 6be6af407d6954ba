/* What becomes of what is known of an account when it delivers to another target than it did: the
 * user chooses. */
#ifndef P3_COLLECT_NEW_TARGET_H
#define P3_COLLECT_NEW_TARGET_H

#include "collect/recorder.h"

/* Finds out whether what is known is of another target (`moved`). Returns false when mail that was
 * delivered there is in question, and the run does not say what is to become of it: describes that.
 */
bool p3_new_target_judge(p3_maildrop *d, p3_problem *why);

/* Does what the run says about it, and records that, with the target: from then on it is this
 * one's. What counts as seen is recorded when the mailbox has been listed (intents.c). Returns
 * false when out of memory, which is told. */
bool p3_new_target_take_over(p3_recorder *r);

#endif
