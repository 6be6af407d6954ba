/* The output of `pop3 help`. */
#ifndef P3_CLI_HELP_H
#define P3_CLI_HELP_H

#include <stdio.h>

/* Prints the help of a subcommand, of "options", or with NULL the general one. Returns an exit
 * status, EX_USAGE for an unknown topic. */
int p3_help(FILE *out, const char *topic);

#endif
