/* What `pop3 help` says. */
#ifndef P3_CLI_HELP_H
#define P3_CLI_HELP_H

#include <stdio.h>

/* Prints the help: that of a subcommand, of "options", or with NULL the general one. Returns an
 * exit status, EX_USAGE when there is nothing of that name. */
int p3_help(FILE *out, const char *topic);

#endif
