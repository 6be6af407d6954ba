/* What the command gives up before it speaks to a server: opening other files than it needs,
 * connecting elsewhere, running programs, and system calls that it has no use for. */
#ifndef P3_CLI_SANDBOX_H
#define P3_CLI_SANDBOX_H

#include "cli/chosen.h"
#include "confine/runner.h"

typedef struct p3_sandbox {
    p3_chosen *chosen; /* the accounts that are worked on */
    const char *state; /* the state file, or NULL */
    bool delivers;     /* mail is written to the accounts' targets */
    bool dry_run;      /* though nothing shall be changed */
    bool stays;        /* for so long that files may be replaced: any may be read */
    bool edits_lines;  /* on a terminal, keeping a history */
    bool off;          /* it is not wanted */
    bool is_told;      /* the report goes to standard error */
    bool is_entered;
    bool filters;            /* system calls are filtered */
    bool is_whole;           /* all that can be given up is */
    p3_runner_duties duties; /* what is done outside, see sandbox_duties.c */
    char **commands;         /* lists behind the duties */
    char **names;
    p3_beside_file *files;
    char
        *state_folder; /* the state's, where it has one of its own when this is prepared; or NULL */
    char report[200];  /* in words, what holds */
} p3_sandbox;

/* Prepares it: the process that runs commands for us is started. There must
 * be no other thread. */
void p3_sandbox_prepare(p3_sandbox *s);

/* Enters it, for good: for this thread and those that it will start. `more` are targets of
 * deliveries beside those of the accounts. What the kernel does not know stays allowed, and the
 * report says so. Fits p3_sync_options.confine. */
void p3_sandbox_enter(void *sandbox, const char *const *more, size_t count);

/* Lets go of what p3_sandbox_prepare() took. */
void p3_sandbox_end(p3_sandbox *s);

#endif
