/* Whether a file may hold a secret. */
#ifndef P3_SETTINGS_PRIVATE_FILE_H
#define P3_SETTINGS_PRIVATE_FILE_H

#include "support/problem.h"

/* Checks the open file `fd`, which was opened by `path`, before a secret is taken from it. It is
 * fine when it is no regular file, or when nobody but its owner has a right to it. So is the
 * read-only file (0444, 0440) that a container engine or systemd puts in place, on these terms:
 *
 * - nobody may write it, and it is ours or root's;
 * - every directory on the way to it, links included, is ours or root's and writable for nobody
 *   else. In a sticky directory such as /tmp others cannot rename what is ours, but they can put a
 *   file or a link in where nothing is: only a directory of ours or root's is accepted there.
 *
 * Returns false with a problem that begins with `doing`, such as "reading the password file". */
bool p3_private_file_check(int fd, const char *path, const char *doing, p3_problem *why);

#endif
