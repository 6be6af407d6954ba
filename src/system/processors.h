/* The processors that this process may run on. */
#ifndef P3_SYSTEM_PROCESSORS_H
#define P3_SYSTEM_PROCESSORS_H

#include <stdbool.h>

/* Whether there is but one: what it waits for cannot happen while it looks. Where a process cannot
 * be kept to one of several, or that cannot be told, those of the machine count. */
bool p3_has_one_processor(void);

#endif
