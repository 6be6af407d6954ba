/* Delivers to the folders of one target that a table of recipients names (recipients.h). Each is a
 * delivery of its own, of the same kind. A message is delivered when each of its folders has it.
 *
 * The header of a message determines its folders, and is not stored. A message left over from a
 * crash is therefore retrieved again under its name; the folders were asked before which of these
 * names they have, and do not get them again. A problem of one folder affects only its messages. */
#ifndef P3_DELIVER_FOLDERS_H
#define P3_DELIVER_FOLDERS_H

#include "deliver/target.h"

/* Opens a target and the folders in its table; without folders, only the target. Otherwise like
 * p3_target_open(). */
p3_delivery *p3_folders_open(const p3_target *t, p3_owner owner, p3_problem *why);

#endif
