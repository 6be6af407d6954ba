/* Where a message goes that its target refuses for good: a Maildir, with a note in front of it. */
#ifndef P3_DELIVER_QUARANTINE_H
#define P3_DELIVER_QUARANTINE_H

#include <stdbool.h>
#include <stdint.h>

#include "deliver/delivery.h"
#include "deliver/spool.h"
#include "support/problem.h"

/* The field that tells why a message is there; it is in front of the message's own header. */
#define P3_QUARANTINE_FIELD "X-POP3-Refused"

/* The field behind it that tells for whom it is there, where it is not there for all. */
#define P3_QUARANTINE_RECIPIENT "X-POP3-Recipient"

/* Puts a parcel's message into a Maildir under its name, and makes it durable. One that comes again
 * and is there by that name already, of a run that was killed, is not put there again. With a
 * recipient (else NULL) it is there for that one alone, under a name of its own. */
bool p3_quarantine_put(const char *maildir, const p3_parcel *of, const char *recipient,
                       const p3_spool_mail *mail, const char *note, p3_problem *why);

/* How much of a name is the message's: behind that it says for whom it is there. */
size_t p3_quarantine_name(const char *name);

/* Of intents that are not at the target: those that were put into the Maildir are marked as there,
 * and what is half written there is cleaned up. May sort them. */
bool p3_quarantine_settle(const char *maildir, p3_left_over *at, size_t count, p3_problem *why);

#endif
