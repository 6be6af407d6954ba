/* Descriptors that are no longer used, and are closed later: who waits on them must hear of it
 * before, and a number must not come back meanwhile. */
#ifndef P3_IO_RETIRED_H
#define P3_IO_RETIRED_H

#include <stddef.h>

/* More than one step can come by: the pipe, the attempts and the socket of three connections. */
#define P3_RETIRED_MOST 64

/* All zero at first. */
typedef struct p3_retired {
    int fds[P3_RETIRED_MOST];
    size_t count;
} p3_retired;

/* Takes a descriptor over, and makes it -1. Closes it at once when `r` is NULL or full. Keeps
 * errno. A negative one does nothing. */
void p3_retire(p3_retired *r, int *fd);

/* Closes all. */
void p3_retired_close(p3_retired *r);

#endif
