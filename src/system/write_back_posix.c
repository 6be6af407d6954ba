/* The system decides when octets are written to the disk; posix_fadvise(2) is an option of POSIX.
 */
#include "system/write_back.h"

#include <fcntl.h>

void p3_write_back(int fd, uint64_t from, uint64_t to)
{
    (void)fd;
    (void)from;
    (void)to;
}

void p3_leave_memory(int fd, uint64_t octets)
{
#ifdef POSIX_FADV_DONTNEED
    (void)posix_fadvise(fd, 0, (off_t)octets, POSIX_FADV_DONTNEED);
#else
    (void)fd;
    (void)octets;
#endif
}
