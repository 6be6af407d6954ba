/* The processors that this process may run on. */
#ifndef P3_SYSTEM_PROCESSORS_H
#define P3_SYSTEM_PROCESSORS_H

#include <stdbool.h>

/* Whether there is only one: then what a call polls for cannot happen while it polls. If the
 * process's own processors are unknown, those of the machine count. */
bool p3_has_one_processor(void);

#endif
