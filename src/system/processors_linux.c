/* The processors that this process may run on. */
#define _GNU_SOURCE /* sched_getaffinity() */
#include "system/processors.h"

#include <sched.h>

/* More processors than bits is an error, and means that there are many. */
bool p3_has_one_processor(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) == 1;
}
