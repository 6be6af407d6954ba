/* Names of Gmail's labels in IMAP. */
#ifndef P3_DELIVER_IMAP_LABEL_NAMES_H
#define P3_DELIVER_IMAP_LABEL_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "support/problem.h"

/* Writes names, with commas between, as the protocol has them, between brackets. Those that Gmail
 * has for everybody are INBOX, STARRED, IMPORTANT and SENT, as in its API. False, with the
 * problem, when one cannot be a label. */
bool p3_imap_labels_write(const char *names, char *out, size_t size, p3_problem *why);

#endif
