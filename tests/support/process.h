/* Other programs under a test's control: started with an input, watched with a deadline, their exit
 * status and what they said collected. */
#ifndef TESTS_SUPPORT_PROCESS_H
#define TESTS_SUPPORT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* How long a test waits for another program before it fails, in milliseconds. */
#define PROCESS_PATIENCE 60000

/* A program that was started. Begin with PROCESS_NONE. */
typedef struct process {
    pid_t pid;  /* 0: none was started */
    int out;    /* its standard output */
    int errors; /* its standard error, a file without a name */
    int status; /* its exit status, or 128 and the signal that ended it; -1 while it runs */
} process;

#define PROCESS_NONE ((process){.out = -1, .errors = -1, .status = -1})

/* Starts argv[0] (a path), with `input` as its standard input. False when that cannot be done. */
bool process_start(process *p, const char *const *argv, const char *input);

/* Reads a line from its standard output, without the line end. False when none came in time. */
bool process_read_line(process *p, char *line, size_t size);

/* Waits until it has ended; what it still writes goes to *output (free() it), when that is not
 * NULL. False when it did not end in time. */
bool process_wait(process *p, char **output);

/* Asks it to end with a signal, waits, and ends it by force if that takes too long. */
void process_stop(process *p, int signal);

/* What it wrote to standard error so far; free() it. */
char *process_errors(const process *p);

/* Gives its descriptors back, after it has ended. */
void process_forget(process *p);

#endif
