/* Shared by the subcommands. */
#ifndef P3_CLI_COMMAND_H
#define P3_CLI_COMMAND_H

#include "cli/account.h"
#include "settings/settings.h"
#include "support/problem.h"

/* A parsed command line: the options of all subcommands, and the other words. */
typedef struct p3_arguments {
    p3_settings settings; /* settings given as options */
    p3_run_settings run;  /* the same for the whole run */
    bool edits_lines; /* set by the subcommand: it edits lines on a terminal, and keeps a history */
    bool tests_server;     /* set by the subcommand: it ignores what was learned about the server */
    pop3_verify_fn verify; /* verifies certificates; NULL: the library does */
    void *verify_ctx;
    char **rest; /* the words that are not options: URL or ACCOUNT, numbers */
    int count;
} p3_arguments;

/* Parses a command line. Returns false for an error. Free with p3_arguments_free(). */
bool p3_arguments_read(p3_arguments *a, int argc, char **argv, p3_problem *why);
void p3_arguments_free(p3_arguments *a);

/* Prints a problem to standard error: "pop3: ACCOUNT: TEXT". Returns the exit status. */
int p3_print_problem(const char *account, const p3_problem *why);

/* The same for a line of a file: "FILE:LINE: TEXT". */
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
