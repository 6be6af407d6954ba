/* What must hold around every test: no descriptor leaks, no SIGPIPE, and no test hangs. */
#ifndef TESTS_SUPPORT_GUARD_H
#define TESTS_SUPPORT_GUARD_H

#include <stdbool.h>

/* Once for a program: from now on a SIGPIPE is noted, and not deadly. */
void guard_install(void);

/* Descriptors that are open. */
int guard_descriptors(void);

/* What this process has in memory, in KiB, by a field of /proc/self/status: "VmRSS:" now, "VmHWM:"
 * at most so far. -1 when that cannot be read. */
long guard_memory(const char *field);

/* Begins to watch a test: it must end before long, or the program does. */
void guard_begin(void);

/* Ends watching. False, with a message, when the test raised SIGPIPE, or left more descriptors open
 * than the `before` there were. */
bool guard_end(int before);

#endif
