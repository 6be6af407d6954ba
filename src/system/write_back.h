/* Hints about when the octets of a file go to the disk, and when they leave memory. No promises. */
#ifndef P3_SYSTEM_WRITE_BACK_H
#define P3_SYSTEM_WRITE_BACK_H

#include <stdint.h>

/* The octets [from, to) of a file are on their way to the disk from here on. */
void p3_write_back(int fd, uint64_t from, uint64_t to);

/* The first octets of a file, or all of them (0), may leave the system's memory. */
void p3_leave_memory(int fd, uint64_t octets);

#endif
