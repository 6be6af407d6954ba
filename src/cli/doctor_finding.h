/* What `pop3 doctor` prints: a finding a line. */
#ifndef P3_CLI_DOCTOR_FINDING_H
#define P3_CLI_DOCTOR_FINDING_H

/* Prints a line. `mark` is "ok", "BAD", "note", "do" (what a person can do about it) or "". */
__attribute__((format(printf, 3, 4))) void p3_finding(const char *mark, const char *what,
                                                      const char *format, ...);

#endif
