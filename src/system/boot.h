/* The current boot of the system. */
#ifndef P3_SYSTEM_BOOT_H
#define P3_SYSTEM_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* Writes a text without line ends that identifies this boot, and the namespace of process numbers;
 * on systems without such an identity it is constant. */
void p3_boot_identify(char *out, size_t size);

/* The time of this boot, by the present clock. False if the system does not know it. */
bool p3_boot_time(time_t *out);

#endif
