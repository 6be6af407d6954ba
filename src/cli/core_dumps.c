/* Keeps secrets out of core dumps. */
#include "cli/core_dumps.h"
#include "system/process.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

void p3_cores_off(void)
{
    const char *wanted = getenv("POP3_CORE_DUMPS");
    struct rlimit limit;
    if (wanted != NULL && strcmp(wanted, "yes") == 0)
        return;
    /* A program that gets cores through a pipe (core(5)) may ignore the limit; the second call
     * prevents the process from being dumped at all. The limit is for systems that refuse that
     * call; only the soft limit, so that commands that we run can raise theirs. */
    if (getrlimit(RLIMIT_CORE, &limit) == 0) {
        limit.rlim_cur = 0;
        (void)setrlimit(RLIMIT_CORE, &limit);
    }
    (void)p3_process_hide();
}
