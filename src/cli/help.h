/* What `pop3 help` says. */
#ifndef P3_CLI_HELP_H
#define P3_CLI_HELP_H

#include <stdio.h>

/* Prints the help, or that of one subcommand. Returns an exit status. */
int p3_help(FILE *out, const char *subcommand);

#endif
