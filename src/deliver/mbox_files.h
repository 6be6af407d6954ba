/* The files of ours beside an mbox: what they are called, and which are there. */
#ifndef P3_DELIVER_MBOX_FILES_H
#define P3_DELIVER_MBOX_FILES_H

#include <stdbool.h>

#include "support/problem.h"

/* What their names have behind the mbox's: the lock, as with other programs; then of ours, the
 * beginning of any, and of what will become a lock. The sandbox knows them, too: see outside.c. */
#define P3_DOTLOCK        ".lock"
#define P3_MBOX_FILE      ".pop3-"
#define P3_MBOX_FILE_LOCK P3_MBOX_FILE "lock-"

/* What is done about one: its path, and what its name has behind the mbox's. False ends it all. */
typedef bool p3_mbox_file_fn(void *ctx, const char *path, const char *rest, p3_problem *why);

/* Calls it for the lock, and for each file that is or may be ours. False when that failed, or the
 * directory could not be read. */
bool p3_mbox_each_file(const char *mbox, p3_mbox_file_fn *fn, void *ctx, p3_problem *why);

#endif
