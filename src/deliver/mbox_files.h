/* Our files beside an mbox: their names, and which exist. */
#ifndef P3_DELIVER_MBOX_FILES_H
#define P3_DELIVER_MBOX_FILES_H

#include <stdbool.h>

#include "support/problem.h"

/* The suffixes of their names after the mbox's: the lock, as in other programs; then the beginning
 * of all of ours, and of a file that becomes a lock. The sandbox uses them, too: see outside.c. */
#define P3_DOTLOCK        ".lock"
#define P3_MBOX_FILE      ".pop3-"
#define P3_MBOX_FILE_LOCK P3_MBOX_FILE "lock-"

/* Called for a file: its path, and its name after the mbox's. False stops. */
typedef bool p3_mbox_file_fn(void *ctx, const char *path, const char *rest, p3_problem *why);

/* Calls it for the lock, and for each file that is or may be ours. False when that failed, or the
 * directory could not be read. */
bool p3_mbox_each_file(const char *mbox, p3_mbox_file_fn *fn, void *ctx, p3_problem *why);

#endif
