/* Where a message goes that its target refuses for good: a Maildir, with a note in front of it. */
#ifndef P3_DELIVER_QUARANTINE_H
#define P3_DELIVER_QUARANTINE_H

#include <stdbool.h>
#include <stdint.h>

#include "support/problem.h"

/* The field that tells why a message is there; it is in front of the message's own header. */
#define P3_QUARANTINE_FIELD "X-POP3-Refused"

/* Puts a part of a file into a Maildir under a name, and makes it durable. One that is there by
 * that name already, of a run that was killed, is not put there again. */
bool p3_quarantine_put(const char *maildir, const char *name, int fd, uint64_t offset,
                       uint64_t length, const char *note, p3_problem *why);

#endif
