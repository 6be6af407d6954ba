/* Counts the system calls for input and output, and the allocations, that the library makes. It
 * works by the linker's --wrap, so that it sees what the library itself does and not what libc and
 * OpenSSL do on their own. */
#ifndef TEST_COUNTED_H
#define TEST_COUNTED_H

#include <stddef.h>

typedef struct counts {
    size_t sends, receives, waits; /* send(2), recv(2), poll(2) */
    size_t others;                 /* read(2) and write(2): none while mail is retrieved */
    size_t acknowledgements;       /* setsockopt(2) with TCP_QUICKACK */
    size_t allocations;            /* malloc, calloc, realloc, strdup, strndup */
} counts;

/* Since the program began. */
extern counts counted;

/* So many allocations succeed, then one fails; negative: all succeed. */
extern long allocations_left;

/* What was counted since `before`. */
counts counted_since(counts before);

/* All system calls of it. */
size_t system_calls(counts c);

#endif
