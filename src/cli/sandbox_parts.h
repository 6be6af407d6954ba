/* What the sandbox is made of: what is known about the run, which files stay within reach, and what
 * the runner outside does. */
#ifndef P3_CLI_SANDBOX_PARTS_H
#define P3_CLI_SANDBOX_PARTS_H

#include "cli/chosen_accounts.h"
#include "confine/landlock.h"
#include "confine/runner.h"

typedef struct p3_sandbox {
    p3_chosen *chosen; /* the accounts that are worked on */
    const char *state; /* the state file, or NULL */
    bool delivers;     /* mail is written to the accounts' targets */
    bool dry_run;      /* though nothing shall be changed */
    bool edits_lines;  /* on a terminal, keeping a history */
    bool off;          /* it is not wanted */
    bool is_told;      /* the report goes to standard error */
    bool is_entered;
    bool filters;            /* system calls are filtered */
    bool is_whole;           /* all that can be given up is */
    p3_runner_duties duties; /* what is done outside, see sandbox_duties.c */
    char **commands;         /* lists behind the duties */
    p3_place *places;
    const p3_secret_source **tokens;
    p3_duty_file *files;
    char
        *state_folder; /* the state's, where it has one of its own when this is prepared; or NULL */
    char report[200];  /* in words, what holds */
} p3_sandbox;

/* Gathers what the runner is to do: the accounts' commands, and what is beside a target or the
 * state; `more` are further targets. Returns false when out of memory. */
bool p3_sandbox_gather(p3_sandbox *s, const p3_target *more, size_t count);

/* Starts the runner for what was gathered, if that is anything. Returns false, with errno. */
bool p3_sandbox_start_runner(p3_sandbox *s);

/* Ends the runner and forgets what was gathered. */
void p3_sandbox_stop_runner(p3_sandbox *s);

/* Allows what the accounts, further targets and the libraries need. Returns false, with errno. */
bool p3_sandbox_allow_files(const p3_sandbox *s, const p3_landlock *l, const p3_target *more,
                            size_t count);

#endif
