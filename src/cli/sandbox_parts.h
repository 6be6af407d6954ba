/* The parts of the sandbox: what is known about the run, which files are permitted, and what the
 * process outside does. */
#ifndef P3_CLI_SANDBOX_PARTS_H
#define P3_CLI_SANDBOX_PARTS_H

#include "cli/chosen_accounts.h"
#include "confine/landlock.h"
#include "confine/runner.h"

typedef struct p3_sandbox {
    p3_chosen *chosen; /* the accounts of the run */
    const char *state; /* the state file, or NULL */
    bool delivers;     /* mail is delivered to the accounts' targets */
    bool dry_run;      /* nothing is changed */
    bool edits_lines;  /* lines are edited on a terminal, with a history */
    bool off;          /* it is disabled */
    bool is_told;      /* the report is printed to standard error */
    bool is_entered;
    bool filters;            /* system calls are filtered */
    bool is_whole;           /* everything that can be given up is */
    p3_runner_duties duties; /* what is done outside, see sandbox_duties.c */
    char **commands;         /* the lists that the duties point to */
    p3_duty_server *places;
    const p3_secret_source **tokens;
    p3_duty_file *files;
    char *state_folder; /* the state's directory, if it had one of its own when this was prepared;
                           or NULL */
    char report[200];   /* the report */
} p3_sandbox;

/* Collects the duties: the accounts' commands, and the files beside a target or the state; `more`
 * are further targets. Returns false when out of memory. */
bool p3_sandbox_gather(p3_sandbox *s, const p3_target *more, size_t count);

/* Starts the process outside, if there are duties. Returns false, with errno. */
bool p3_sandbox_start_runner(p3_sandbox *s);

/* Ends the process outside, and frees the duties. */
void p3_sandbox_stop_runner(p3_sandbox *s);

/* Permits the files that the accounts, further targets and libraries need. Returns false, with
 * errno. */
bool p3_sandbox_allow_files(const p3_sandbox *s, const p3_landlock *l, const p3_target *more,
                            size_t count);

#endif
