/* A process of its own that runs the user's commands, for when this one has given up the right to:
 * it is forked before that, and runs only the command lines that it was told of then. */
#ifndef P3_SYNC_RUNNER_H
#define P3_SYNC_RUNNER_H

#include <stdbool.h>
#include <stddef.h>

/* Starts it, for these command lines, which must stay where they are. There must be no other
 * thread. Returns false, with errno. */
bool p3_runner_start(const char *const *commands, size_t count);

/* Lets it end, and waits for that. Does nothing when there is none. */
void p3_runner_stop(void);

bool p3_runner_is_there(void);

/* Has a command line run, as p3_child_start() does; `more` is at most one variable, SENDER. Any
 * thread may ask. Returns 0 or the error's number; the answer is for p3_runner_wait(). */
int p3_runner_ask(const char *command, int input, int output, const char *const *more, int *answer);

/* Waits for the command's end. Returns its exit status as p3_child_wait() does, or -1 with errno
 * when it could not be run. */
int p3_runner_wait(int answer);

#endif
