/* Delivers to a Maildir. */
#ifndef P3_DELIVER_MAILDIR_H
#define P3_DELIVER_MAILDIR_H

#include "deliver/delivery.h"

/* Its directories, with a slash in front; ends with NULL. */
extern const char *const p3_maildir_directories[];

/* Opens the Maildir at a path, and creates missing directories. */
p3_delivery *p3_maildir_open(const char *path, const p3_envelope *envelope, p3_problem *why);

/* See p3_target_has(). */
bool p3_maildir_has(const char *path, const char *owner);

/* See p3_target_tidy(). */
void p3_maildir_tidy(const char *path, const char *owner);

#endif
