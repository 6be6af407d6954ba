/* Which calls can fail on demand within Python; see faulting.c. */
#ifndef TESTS_PYTHON_FAULTING_H
#define TESTS_PYTHON_FAULTING_H

#include <stdbool.h>

typedef enum faulting_call {
    FAULTING_PYTHON, /* an allocation by Python or through it */
    FAULTING_CORE,   /* an allocation by libpop3's core */
    FAULTING_INPUT,  /* recv, or a read from a socket */
    FAULTING_OUTPUT, /* send, or a write to a socket */
    FAULTING_POLL,
    FAULTING_CONNECT,
    FAULTING_SOCKET,
    FAULTING_CALLS
} faulting_call;

/* Counts a call. True when it is to fail; errno is set. */
bool faulting_fails(faulting_call call);

/* Counts blocks of memory that came into use, or went. */
void faulting_count(long more);

#endif
