/* Runs the user's commands. */
#ifndef P3_CONFINE_SHELL_H
#define P3_CONFINE_SHELL_H

#include <stddef.h>

#include "support/problem.h"

/* Puts octets where a command can read them: returns a descriptor at their beginning, or -1. */
int p3_spool(const char *data, size_t len, p3_problem *why);

/* Runs a command line with /bin/sh, its standard input from `input` (-1: empty), and waits for it.
 * `more` are further environment variables, "NAME=value", ended by NULL; or NULL. Returns its exit
 * status, 128 plus the number of a signal, or -1 when it could not be run. */
int p3_spawn_shell(const char *command, int input, const char *const *more, p3_problem *why);

/* The same, keeping up to `size` octets of its output. */
int p3_spawn_output(const char *command, char *out, size_t size, size_t *len, p3_problem *why);

#endif
