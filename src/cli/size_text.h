/* Sizes and times as text. */
#ifndef P3_CLI_SIZE_TEXT_H
#define P3_CLI_SIZE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Room for any of them. */
#define P3_SHORT_TEXT 32

/* "980 B", "12.3 KB", "4.0 GB". Returns out. */
const char *p3_size_text(uint64_t octets, char out[P3_SHORT_TEXT]);

/* "7 s", "3:05 min", "2:10 h". Returns out. */
const char *p3_time_text(double seconds, char out[P3_SHORT_TEXT]);

#endif
