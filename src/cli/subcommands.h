/* The subcommands, in one table: subcommands.ini. */
#ifndef P3_CLI_SUBCOMMANDS_H
#define P3_CLI_SUBCOMMANDS_H

#include "cli/command.h"

typedef struct p3_subcommand {
    const char *name;
    int (*run)(p3_arguments *a); /* NULL: help */
    bool has_json;               /* it supports --json */
    bool has_dry_run;            /* it supports --dry-run, or changes nothing anyway */
    const char *arguments;       /* the arguments after the name */
    const char *topics;          /* its own topics of options, separated by blanks; or NULL */
    const char *help;            /* one line */
    const char *text;            /* more; or NULL */
} p3_subcommand;

/* All of them in the order of the help; the last one has no name. */
extern const p3_subcommand p3_all_subcommands[];

/* Finds one by name, or NULL. */
const p3_subcommand *p3_subcommand_find(const char *name);

#endif
