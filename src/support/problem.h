/* What went wrong, for people, and the exit status that says so to programs (sysexits.h). */
#ifndef P3_SUPPORT_PROBLEM_H
#define P3_SUPPORT_PROBLEM_H

#include <stdbool.h>

typedef struct p3_problem {
    int exit;       /* an EX_ value of sysexits.h; 0: no problem */
    int error;      /* the errno behind it, or 0 */
    bool of_folder; /* it is one folder's, of a target that is there */
    char text[767]; /* "what was being done: why; what to do" */
} p3_problem;

/* Describes a problem. Returns false, so that a failing function can return it. */
__attribute__((format(printf, 3, 4))) bool p3_problem_set(p3_problem *p, int exit,
                                                          const char *format, ...);

/* The same with errno's text at the end, and with an exit status that fits that errno. */
__attribute__((format(printf, 3, 4))) bool p3_problem_errno(p3_problem *p, int error,
                                                            const char *format, ...);

/* The same where memory ran out. */
bool p3_problem_memory(p3_problem *p);

/* One exit status for several things that were done: what does not mend by itself takes precedence
 * over EX_TEMPFAIL, and the first of its kind over others. */
int p3_exit_of_both(int before, int now);

#endif
