/* The monotonic clock, and deadlines on it. */
#ifndef P3_IO_CLOCK_H
#define P3_IO_CLOCK_H

#include <stdint.h>

/* A point in time that never comes. */
#define P3_NEVER INT64_MAX

/* Milliseconds since some point in the past. */
int64_t p3_now_ms(void);

/* Microseconds since some point in the past. */
int64_t p3_now_us(void);

/* The point timeout_ms after now; P3_NEVER for a negative timeout. */
int64_t p3_deadline(int64_t now, int timeout_ms);

/* Milliseconds from now until a deadline, as for poll(2): -1 for P3_NEVER, 0 when it has passed. */
int p3_until(int64_t deadline, int64_t now);

#endif
