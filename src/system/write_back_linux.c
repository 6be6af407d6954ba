/* Hints about writing to the disk: sync_file_range(2). */
#include "system/write_back.h"

#include <fcntl.h>

void p3_write_back(int fd, uint64_t from, uint64_t to)
{
    (void)sync_file_range(fd, (off_t)from, (off_t)(to - from), SYNC_FILE_RANGE_WRITE);
}

void p3_leave_memory(int fd, uint64_t octets)
{
    (void)posix_fadvise(fd, 0, (off_t)octets, POSIX_FADV_DONTNEED);
}
