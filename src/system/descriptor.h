/* Descriptors that programs do not inherit. If the system cannot create them atomically
 * (descriptor_posix.c), a program that another thread starts in between inherits them. */
#ifndef P3_SYSTEM_DESCRIPTOR_H
#define P3_SYSTEM_DESCRIPTOR_H

#include <stdbool.h>

/* A stream socket, close-on-exec and non-blocking; -1 with errno. */
int p3_descriptor_socket(int family);

/* A pipe, both ends close-on-exec, and non-blocking unless `blocking` is set. False with errno. */
bool p3_descriptor_pipe(int ends[2], bool blocking);

#endif
