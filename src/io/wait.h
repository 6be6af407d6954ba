/* What a step waits for: sockets with directions, and a deadline. */
#ifndef P3_IO_WAIT_H
#define P3_IO_WAIT_H

#include <stdbool.h>
#include <stddef.h>

/* Most sockets that one client waits on at once: connection attempts or a single socket, and the
 * wake-up pipe. */
#define P3_MAX_WAITS 8

typedef struct p3_wait {
    int fd;
    bool read;
    bool write;
} p3_wait;

typedef struct p3_wait_set {
    p3_wait at[P3_MAX_WAITS];
    size_t count;
} p3_wait_set;

static inline void p3_wait_add(p3_wait_set *set, int fd, bool read, bool write)
{
    if (fd >= 0 && set->count < P3_MAX_WAITS)
        set->at[set->count++] = (p3_wait){.fd = fd, .read = read, .write = write};
}

#endif
