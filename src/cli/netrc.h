/* Passwords in a .netrc file. */
#ifndef P3_CLI_NETRC_H
#define P3_CLI_NETRC_H

#include "support/problem.h"

/* Looks up the password of a user at a host in a file; NULL: the default, which need not exist.
 * `found` is allocated if there is one: wipe and free it. Returns false for a file that cannot be
 * read, or that others can read. */
bool p3_netrc_find(const char *path, const char *host, const char *user, char **password,
                   bool *found, p3_problem *why);

#endif
