/* Calls of the C library that fail on demand, in a program that is linked with the stand-ins of
 * failing.c (see meson.build). One count for them all, shared with forked processes. */
#ifndef TESTS_SYNC_FAILING_H
#define TESTS_SYNC_FAILING_H

#include <stdbool.h>

/* What becomes of a call. */
typedef enum failing_how {
    FAILING_ERROR,       /* it fails with an error */
    FAILING_INTERRUPTED, /* a signal interrupts it, where a signal can */
    FAILING_SHORT        /* reads and writes move one octet */
} failing_how;

typedef struct failing {
    failing_how how;
    int error;       /* FAILING_ERROR: errno; allocations always have ENOMEM */
    bool from_there; /* all that follow fail too */
} failing;

/* From now on the n-th call (from 1) that can fail so does. */
void failing_arm(const failing *f, unsigned long n);

/* Everything works again. Returns the name of the first call that failed, or NULL. */
const char *failing_disarm(void);

/* From now on writes of one octet work: a thread wakes another by an empty pipe, which cannot fail.
 */
void failing_spare_wakes(void);

/* For stand-ins elsewhere: counts a call that can fail so. True when it is to. */
bool failing_now(failing_how how, const char *name, int error);

/* Allocations that have not been freed; descriptors that are open. */
long failing_allocations(void);
int failing_descriptors(void);

#endif
