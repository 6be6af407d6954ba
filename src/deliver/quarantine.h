/* The quarantine: a Maildir for messages that a target refuses permanently, each with a note before
 * its header. */
#ifndef P3_DELIVER_QUARANTINE_H
#define P3_DELIVER_QUARANTINE_H

#include <stdbool.h>
#include <stdint.h>

#include "deliver/delivery.h"
#include "deliver/spool.h"
#include "support/problem.h"

/* The field with the reason; it is before the message's own header. */
#define P3_QUARANTINE_FIELD "X-POP3-Refused"

/* The field after it with the recipient, if it is there for one recipient only. */
#define P3_QUARANTINE_RECIPIENT "X-POP3-Recipient"

/* Puts a parcel's message into a Maildir under its name, and makes it durable. A message that a
 * killed run has already put there is not added again. With a recipient (else NULL) it is there for
 * that recipient alone, under a name of its own. */
bool p3_quarantine_put(const char *maildir, const p3_parcel *of, const char *recipient,
                       const p3_spool_mail *mail, const char *note, p3_problem *why);

/* The length of the message's name; after it follows the recipient. */
size_t p3_quarantine_name(const char *name);

/* Intents that are not at the target: marks those that are in the Maildir, and removes unfinished
 * files there. May sort them. */
bool p3_quarantine_settle(const char *maildir, p3_left_over *at, size_t count, p3_problem *why);

#endif
