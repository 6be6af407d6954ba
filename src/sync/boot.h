/* What is from before this system was booted: nobody is left who works on it. */
#ifndef P3_SYNC_BOOT_H
#define P3_SYNC_BOOT_H

#include <stdbool.h>

struct stat;

/* Whether a file was last written before the boot. A little before: the clock may have been set
 * since. */
bool p3_is_before_boot(const struct stat *st);

#endif
