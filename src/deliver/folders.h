/* Delivers to folders of one target, those that a table of recipients names (recipients.h): each a
 * delivery of its own, of the same kind. A message is delivered when each of its folders has it.
 *
 * Which folders a message has is found in its header, and that is not kept. So what a crash has
 * left over comes again under its name; the folders were asked before which of those names they
 * have, and do not get them again. What ails one folder alone is the trouble of its messages: the
 * others go on. */
#ifndef P3_DELIVER_FOLDERS_H
#define P3_DELIVER_FOLDERS_H

#include "deliver/target.h"

/* Opens a target, whose table may name folders of it: else that alone. Otherwise as
 * p3_target_open(). */
p3_delivery *p3_folders_open(const p3_target *t, p3_owner owner, p3_problem *why);

#endif
