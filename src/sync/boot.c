/* What is from before this system was booted. */
#include "sync/boot.h"

#include <sys/stat.h>

#include "system/boot.h"

/* Seconds by which the clock may have been set since the boot. */
#define P3_CLOCK_SLACK 60

bool p3_is_before_boot(const struct stat *st)
{
    time_t boot;
    return p3_boot_time(&boot) && st->st_mtime + P3_CLOCK_SLACK < boot;
}
