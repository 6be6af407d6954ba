/* The processors that this process may run on. */
#ifndef P3_IO_PROCESSORS_H
#define P3_IO_PROCESSORS_H

#include <stdbool.h>

/* Whether there is but one: what it waits for cannot happen while it looks. */
bool p3_has_one_processor(void);

#endif
