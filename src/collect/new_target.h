/* What happens to the rows of an account whose target has changed: the user chooses. */
#ifndef P3_COLLECT_NEW_TARGET_H
#define P3_COLLECT_NEW_TARGET_H

#include "collect/recorder.h"

/* Finds out whether the rows belong to another target (`moved`). Returns false, with the problem,
 * if mail that was delivered there is on the server and the run's options do not say what to do
 * with it. */
bool p3_new_target_judge(p3_maildrop *d, p3_problem *why);

/* Does what the run's options say, and records the new target. Mail that counts as seen is recorded
 * after the listing (intents.c). Returns false when out of memory, which is reported. */
bool p3_new_target_take_over(p3_recorder *r);

#endif
