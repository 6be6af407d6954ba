/* Decides whether a file may contain a secret. */
#ifndef P3_SETTINGS_PRIVATE_FILE_H
#define P3_SETTINGS_PRIVATE_FILE_H

#include "support/problem.h"

/* Checks the open file `fd`, which was opened by `path`, before a secret is read from it. It is
 * accepted if it is not a regular file, or if only its owner can access it. A read-only file (0444,
 * 0440), as a container engine or systemd provides it, is also accepted, on these conditions:
 *
 * - nobody can write it, and it belongs to us or root;
 * - every directory on the way to it, including links, belongs to us or root, and nobody else can
 * write it. In a sticky directory such as /tmp others cannot rename our files, but they can create
 * a file or a link where there is none: there only a directory of ours or root's is accepted.
 *
 * Returns false with a problem that begins with `doing`, such as "reading the password file". */
bool p3_private_file_check(int fd, const char *path, const char *doing, p3_problem *why);

#endif
