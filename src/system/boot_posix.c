/* POSIX does not distinguish boots. */
#include "system/boot.h"

#include <stdio.h>

void p3_boot_identify(char *out, size_t size)
{
    snprintf(out, size, " 0");
}

bool p3_boot_time(time_t *out)
{
    (void)out;
    return false;
}
