/* Hints about when the octets of a file are written to the disk, and dropped from memory. No
 * guarantees. */
#ifndef P3_SYSTEM_WRITE_BACK_H
#define P3_SYSTEM_WRITE_BACK_H

#include <stdint.h>

/* Starts to write the octets [from, to) of a file to the disk. */
void p3_write_back(int fd, uint64_t from, uint64_t to);

/* Drops the first octets of a file, or all of them (0), from the page cache. */
void p3_leave_memory(int fd, uint64_t octets);

#endif
