/* What mbox.c, which delivers, and mbox_settle.c, which cleans up after a crash, share: the spool
 * file that says what was to be appended, and where. */
#ifndef P3_DELIVER_MBOX_SPOOL_H
#define P3_DELIVER_MBOX_SPOOL_H

#include "deliver/delivery.h"

#include <inttypes.h>
#include <stdbool.h>

/* Octets that are copied or compared at a time. */
#define P3_COPY ((size_t)256 * 1024)

/* A batch on its way: the octets that will be appended, then names and offset. */
typedef struct p3_mbox_spool {
    struct p3_mbox_spool *next;
    char *path;
    int fd;
    uint64_t length;  /* of the octets */
    uint64_t offset;  /* where in the mbox they are appended, once that is known */
    unsigned missing; /* line ends that are written there before them, 0 to 2 */
} p3_mbox_spool;

/* The last line of a spool: length, offset, missing. */
#define P3_TRAILER_FORMAT "%020" PRIu64 " %020" PRIu64 " %u end\n"
#define P3_TRAILER_LENGTH 48

typedef struct p3_mbox {
    p3_delivery base;
    char *path;
    p3_mbox_spool *spool;  /* of the batch being filled, or NULL */
    p3_mbox_spool *sealed; /* of batches that are not recorded yet, and what settle() found */
    uint64_t start;        /* where the message being written begins */
    const char *name;
    bool line_start; /* the next octet begins a line */
    uint64_t angles; /* ">"s held back at the beginning of a line */
    size_t matched;  /* letters of "From " held back after them */
    size_t used;     /* of the buffer: what of this message is not in the spool yet */
    char buffer[32768];
} p3_mbox;

/* A spool whose file is not open yet, or NULL when out of memory. */
p3_mbox_spool *p3_mbox_spool_new(const char *path);

/* Lets go of a spool, and removes its file if so wanted. NULL does nothing. */
void p3_mbox_spool_free(p3_mbox_spool *s, bool remove);

/* Fills a buffer from a file. False, with errno, when that cannot be read or ends before. */
bool p3_mbox_read(int fd, char *out, size_t size, uint64_t offset);

/* The class's settle(), and p3_delivery_tidy() for an mbox. */
bool p3_mbox_settle(p3_delivery *d, p3_left_over *at, size_t count, p3_problem *why);
void p3_mbox_tidy(const char *path, const char *owner);

#endif
