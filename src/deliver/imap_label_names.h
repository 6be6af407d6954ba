/* Names of Gmail's labels in IMAP. */
#ifndef P3_DELIVER_IMAP_LABEL_NAMES_H
#define P3_DELIVER_IMAP_LABEL_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "support/problem.h"

/* Writes names, separated by commas, in the protocol's form, in parentheses. Gmail's own labels are
 * INBOX, STARRED, IMPORTANT and SENT, as in its API. False, with the problem, when one cannot be a
 * label. */
bool p3_imap_labels_write(const char *names, char *out, size_t size, p3_problem *why);

#endif
