/* A problem: its text for people, and its exit status for programs (sysexits.h). */
#ifndef P3_SUPPORT_PROBLEM_H
#define P3_SUPPORT_PROBLEM_H

#include <stdbool.h>

typedef struct p3_problem {
    int exit;       /* an EX_ value of sysexits.h; 0: no problem */
    int error;      /* the errno that caused it, or 0 */
    bool of_folder; /* it affects one folder of a target that works */
    char text[767]; /* "what was being done: why; what to do" */
} p3_problem;

/* Sets a problem. Returns false, so that a failing function can return it. */
__attribute__((format(printf, 3, 4))) bool p3_problem_set(p3_problem *p, int exit,
                                                          const char *format, ...);

/* The same with the text of errno at the end, and an exit status for that errno. */
__attribute__((format(printf, 3, 4))) bool p3_problem_errno(p3_problem *p, int error,
                                                            const char *format, ...);

/* The same when out of memory. */
bool p3_problem_memory(p3_problem *p);

/* The exit status of several operations: a permanent failure takes precedence over EX_TEMPFAIL, and
 * the first of a kind over others. */
int p3_exit_of_both(int before, int now);

#endif
