/* Delivers to a list of targets: a message is delivered when each of them has it.
 *
 * It is retrieved once and goes to all of them; what each needs to keep of it meanwhile is its own,
 * so memory grows no more with a message than with one target. One that fails, while a message is
 * written or when a batch is delivered, is left out for the rest of the run: the others go on. What
 * it lacks stays on the server and comes again for it alone, as it is recorded which targets of the
 * list have a message (the members of a parcel, and of a row of the state). What one refuses for
 * good is kept as it does with such a message by itself, and counts as delivered there.
 *
 * After a crash each target is asked which of the intents it has. One that cannot be asked does not
 * get them in this run, as it may have them. */
#ifndef P3_DELIVER_LIST_DELIVERY_H
#define P3_DELIVER_LIST_DELIVERY_H

#include "deliver/target.h"

/* Opens a target, which may be a list, for an account that is locked. Of a list some may fail, and
 * are left out. Returns NULL and describes the problem when nothing can be delivered to. */
p3_delivery *p3_list_delivery_open(const p3_target *t, p3_owner owner, p3_problem *why);

#endif
