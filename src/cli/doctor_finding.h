/* The output of `pop3 doctor`: one finding on each line. */
#ifndef P3_CLI_DOCTOR_FINDING_H
#define P3_CLI_DOCTOR_FINDING_H

/* Prints a line. `mark` is "ok", "BAD", "note", "do" (advice) or "". */
__attribute__((format(printf, 3, 4))) void p3_finding(const char *mark, const char *what,
                                                      const char *format, ...);

#endif
