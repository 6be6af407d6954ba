/* Gmail's labels: Google knows them by ids. */
#ifndef P3_DELIVER_GMAIL_LABELS_H
#define P3_DELIVER_GMAIL_LABELS_H

#include "deliver/gmail_line.h"

/* The metadata of a message that has these labels, names with commas between: JSON in new memory.
 * Those that are not there are made. NULL with the problem. */
char *p3_gmail_metadata(p3_gmail_line *l, const char *labels, bool is_unread, p3_problem *why);

#endif
