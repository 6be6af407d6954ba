/* Delivers to a list of targets: a message is delivered when each of them has it.
 *
 * It is retrieved once and written to all of them; memory does not grow with the size of a message.
 * A target that fails, while a message is written or when a batch is delivered, is left out for the
 * rest of the run, and the others continue. Its messages stay on the server and are retrieved again
 * for it alone, because it is recorded which members of the list have a message (the members of a
 * parcel, and of a row of the state). A message that one target refuses permanently is kept by that
 * target in its own way, and counts as delivered there.
 *
 * After a crash each target is asked which of the intents it has. One that cannot be asked does not
 * get them in this run, because it may have them. */
#ifndef P3_DELIVER_LIST_DELIVERY_H
#define P3_DELIVER_LIST_DELIVERY_H

#include "deliver/target.h"

/* Opens a target, which may be a list, for an account that is locked. Members of a list that fail
 * are left out. Returns NULL with the problem when nothing can be delivered. */
p3_delivery *p3_list_delivery_open(const p3_target *t, p3_owner owner, p3_problem *why);

#endif
