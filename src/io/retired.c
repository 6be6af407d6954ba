/* Descriptors that are not used any more and are closed later. */
#include "io/retired.h"

#include "io/socket.h"

void p3_retire(p3_retired *r, int *fd)
{
    if (*fd < 0)
        return;
    if (r == NULL || r->count == P3_RETIRED_MOST) {
        p3_close(fd);
        return;
    }
    r->fds[r->count++] = *fd;
    *fd = -1;
}

void p3_retired_close(p3_retired *r)
{
    while (r->count > 0)
        p3_close(&r->fds[--r->count]);
}
