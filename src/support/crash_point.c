/* Kills a test build at a marked point. */
#include "support/crash_point.h"

#ifdef P3_FAULT_HOOKS
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

void p3_crash_point(const char *name)
{
    static atomic_ulong passed;
    const char *at = getenv("POP3_TEST_CRASH_AT");
    size_t len = strlen(name);
    if (at == NULL || strncmp(at, name, len) != 0 || (at[len] != '\0' && at[len] != ':'))
        return;
    unsigned long nth = at[len] == ':' ? strtoul(at + len + 1, NULL, 10) : 1;
    if (atomic_fetch_add(&passed, 1) + 1 == nth)
        raise(SIGKILL);
}
#endif
