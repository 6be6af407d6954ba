/* This boot of this system. */
#ifndef P3_SYSTEM_BOOT_H
#define P3_SYSTEM_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* Writes a text without line ends that tells this boot, and the namespace of process numbers, from
 * others; where the system does not say, it is always the same. */
void p3_boot_identify(char *out, size_t size);

/* When this boot was, by the clock as it is now. False where the system does not say. */
bool p3_boot_time(time_t *out);

#endif
