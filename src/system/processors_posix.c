/* The processors of this machine. */
#define _GNU_SOURCE /* _SC_NPROCESSORS_ONLN: POSIX has it since 2024 only */
#include "system/processors.h"

#include <unistd.h>

bool p3_has_one_processor(void)
{
    return sysconf(_SC_NPROCESSORS_ONLN) == 1;
}
