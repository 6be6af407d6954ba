/* Delivers to a Gmail mailbox by Google's API (users.messages.import). */
#ifndef P3_DELIVER_GMAIL_H
#define P3_DELIVER_GMAIL_H

#include "deliver/delivery.h"

/* Opens the mailbox of a user, an address; connects when there is a message. Without options in the
 * envelope nothing can be delivered, and intents of an earlier run can be settled. */
p3_delivery *p3_gmail_open(const char *user, const p3_envelope *envelope, p3_problem *why);

#endif
