/* Where a message goes that its target refuses for good: a Maildir, with a note in front of it. */
#ifndef P3_DELIVER_QUARANTINE_H
#define P3_DELIVER_QUARANTINE_H

#include <stdbool.h>
#include <stdint.h>

#include "deliver/delivery.h"
#include "support/problem.h"

/* The field that tells why a message is there; it is in front of the message's own header. */
#define P3_QUARANTINE_FIELD "X-POP3-Refused"

/* Puts a part of a file into a Maildir under a name, and makes it durable. One that is there by
 * that name already, of a run that was killed, is not put there again. */
bool p3_quarantine_put(const char *maildir, const char *name, int fd, uint64_t offset,
                       uint64_t length, const char *note, p3_problem *why);

/* Of intents that are not at the target: those that were put into the Maildir are marked as there,
 * and what is half written there is cleaned up. May sort them. */
bool p3_quarantine_settle(const char *maildir, p3_left_over *at, size_t count, p3_problem *why);

#endif
