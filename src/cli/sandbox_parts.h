/* The parts of sandbox.c: which files stay within reach, and what the runner outside does. */
#ifndef P3_CLI_SANDBOX_PARTS_H
#define P3_CLI_SANDBOX_PARTS_H

#include "confine/landlock.h"
#include "cli/sandbox.h"

/* Where a target of one kind is, "maildir:" or such; NULL when it is of another, or NULL. */
const char *p3_target_path(const char *target, const char *kind);

/* Gathers what the runner is to do: the accounts' commands, and what is beside an mbox or the
 * state; `more` are further targets. Returns false when out of memory. */
bool p3_sandbox_gather(p3_sandbox *s, const char *const *more, size_t count);

/* Starts the runner for what was gathered, if that is anything. Returns false, with errno. */
bool p3_sandbox_start_runner(p3_sandbox *s);

/* Ends the runner and forgets what was gathered. */
void p3_sandbox_stop_runner(p3_sandbox *s);

/* Allows what the accounts, further targets and the libraries need. Returns false, with errno. */
bool p3_sandbox_allow_files(const p3_sandbox *s, const p3_landlock *l, const char *const *more,
                            size_t count);

#endif
