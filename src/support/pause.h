/* Waiting for a time to pass. */
#ifndef P3_SUPPORT_PAUSE_H
#define P3_SUPPORT_PAUSE_H

#include <stdint.h>

/* Returns so many milliseconds later, or when the end of the process is asked for. In test builds
 * (see crash_point.h) POP3_TEST_PAUSES=skip has it print how long it would have been, and return at
 * once.
 */
void p3_pause(int64_t ms);

#endif
