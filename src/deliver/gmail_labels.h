/* Gmail's labels, which Google identifies by ids. */
#ifndef P3_DELIVER_GMAIL_LABELS_H
#define P3_DELIVER_GMAIL_LABELS_H

#include "deliver/gmail_session.h"

/* The metadata of a message that has these labels, names with commas between: JSON in new memory.
 * Those that are not there are made. NULL with the problem, which is `of_folder` when one of them
 * cannot be. */
char *p3_gmail_metadata(p3_gmail_connection *l, const char *labels, bool is_unread,
                        p3_problem *why);

/* Requests a user's labels, which changes nothing: shows whether the API can be reached and is
 * enabled, and whether the token belongs to this user and permits more than delivering. */
bool p3_gmail_try(const char *user, const p3_gmail_options *options, p3_problem *why);

#endif
