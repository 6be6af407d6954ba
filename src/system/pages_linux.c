/* Memory before it is used: MADV_POPULATE_WRITE, since Linux 5.14. */
#include "system/pages.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* the kernel's interface, which does not change */
#endif

void p3_pages_populate(char *from, char *to)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = ((uintptr_t)from + page - 1) / page * page;
    uintptr_t end = (uintptr_t)to / page * page;
    if (first < end)
        (void)madvise(from + (first - (uintptr_t)from), end - first, MADV_POPULATE_WRITE);
}
