/* What must hold around every test: no descriptor leaks, no SIGPIPE, and no test hangs. */
#ifndef TESTS_SUPPORT_GUARD_H
#define TESTS_SUPPORT_GUARD_H

#include <stdbool.h>

/* Once for a program: from now on a SIGPIPE is noted, and not deadly. */
void guard_install(void);

/* Descriptors that are open. */
int guard_descriptors(void);

/* Begins to watch a test: it must end before long, or the program does. */
void guard_begin(void);

/* Ends watching. False, with a message, when the test raised SIGPIPE, or left more descriptors open
 * than the `before` there were. */
bool guard_end(int before);

#endif
