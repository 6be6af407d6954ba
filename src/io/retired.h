/* Descriptors that are not used any more and are closed later: the event loop must be informed
 * first, and the number must not be used again before that. */
#ifndef P3_IO_RETIRED_H
#define P3_IO_RETIRED_H

#include <stddef.h>

/* More than a step can retire: the pipe, the attempts and the socket of three connections. */
#define P3_RETIRED_MOST 64

/* All zero at first. */
typedef struct p3_retired {
    int fds[P3_RETIRED_MOST];
    size_t count;
} p3_retired;

/* Takes over a descriptor, and sets it to -1. Closes it at once if `r` is NULL or full. Keeps
 * errno. Ignores a negative one. */
void p3_retire(p3_retired *r, int *fd);

/* Closes all. */
void p3_retired_close(p3_retired *r);

#endif
