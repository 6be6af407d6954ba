/* Starts the user's command lines with /bin/sh. */
#ifndef P3_CONFINE_CHILD_H
#define P3_CONFINE_CHILD_H

#include <sys/types.h>

/* Starts a command line: its standard input from `input` (-1: empty), its standard output to
 * `output` (-1: ours), with further environment variables, "NAME=value", ended by NULL; or NULL.
 * Signals have their default dispositions. Returns 0 or an errno. */
int p3_child_start(const char *command, int input, int output, const char *const *more, pid_t *pid);

/* Waits for its end. Returns its exit status, 128 plus the number of a signal, or -1. */
int p3_child_wait(pid_t pid);

#endif
