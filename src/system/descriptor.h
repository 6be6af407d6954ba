/* Descriptors that programs started meanwhile do not inherit. Where the system cannot make one so
 * in one step (descriptor_posix.c), a program that another thread starts in between inherits it. */
#ifndef P3_SYSTEM_DESCRIPTOR_H
#define P3_SYSTEM_DESCRIPTOR_H

#include <stdbool.h>

/* A stream socket, closed on exec and non-blocking; -1 with errno. */
int p3_descriptor_socket(int family);

/* A pipe, both ends closed on exec, and non-blocking or not. False with errno. */
bool p3_descriptor_pipe(int ends[2], bool blocking);

#endif
