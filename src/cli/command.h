/* What the subcommands share. */
#ifndef P3_CLI_COMMAND_H
#define P3_CLI_COMMAND_H

#include "cli/account.h"
#include "settings/settings.h"
#include "support/problem.h"

/* The command line, taken apart: options common to all subcommands, and what is left. */
typedef struct p3_arguments {
    p3_settings settings;  /* those given as options */
    p3_run_settings run;   /* the same of the whole run */
    bool edits_lines;      /* the subcommand does, on a terminal, and keeps a history */
    bool tests_server;     /* the subcommand does: what was learned about it does not count */
    pop3_verify_fn verify; /* decides about certificates; NULL: the library does */
    void *verify_ctx;
    char **rest; /* what is not an option: URL or ACCOUNT, numbers */
    int count;
} p3_arguments;

/* Takes a command line apart. Returns false for a mistake in it. Free with p3_arguments_free(). */
bool p3_arguments_read(p3_arguments *a, int argc, char **argv, p3_problem *why);
void p3_arguments_free(p3_arguments *a);

/* Says on standard error what went wrong: "pop3: ACCOUNT: TEXT". Returns the exit status. */
int p3_print_problem(const char *account, const p3_problem *why);

/* The same of a line in a file: "FILE:LINE: TEXT". */
void p3_print_problem_in_file(const char *path, int line, const char *text);

/* The subcommands: each returns an exit status. */
int p3_cmd_authorize(p3_arguments *a);
int p3_cmd_capa(p3_arguments *a);
int p3_cmd_cat(p3_arguments *a);
int p3_cmd_doctor(p3_arguments *a);
int p3_cmd_headers(p3_arguments *a);
int p3_cmd_list(p3_arguments *a);
int p3_cmd_retry(p3_arguments *a);
int p3_cmd_rm(p3_arguments *a);
int p3_cmd_setup(p3_arguments *a);
int p3_cmd_shell(p3_arguments *a);
int p3_cmd_stat(p3_arguments *a);
int p3_cmd_sync(p3_arguments *a);
int p3_cmd_token(p3_arguments *a);
int p3_cmd_top(p3_arguments *a);
int p3_cmd_uidl(p3_arguments *a);

#endif
