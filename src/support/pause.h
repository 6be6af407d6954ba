/* Waits for a time. */
#ifndef P3_SUPPORT_PAUSE_H
#define P3_SUPPORT_PAUSE_H

#include <stdint.h>

/* Returns after this many milliseconds, or when the process is to end. In test builds (see
 * crash_point.h) POP3_TEST_PAUSES=skip makes it print the time and return at once. */
void p3_pause(int64_t ms);

#endif
