/* A spool file beside an mbox: the octets to append, followed by what a run after a crash must
 * know: the names of the messages, the length, and the offset in the mbox. */
#ifndef P3_DELIVER_MBOX_SPOOL_H
#define P3_DELIVER_MBOX_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "deliver/delivery.h"

/* Octets copied or compared at a time. */
#define P3_COPY ((size_t)256 * 1024)

/* A batch on its way. */
typedef struct p3_mbox_spool {
    struct p3_mbox_spool *next;
    char *path;
    int fd;
    uint64_t length;  /* of the octets */
    uint64_t offset;  /* the offset in the mbox at which they are appended, once it is known */
    unsigned missing; /* line ends to write before them, 0 to 2 */
} p3_mbox_spool;

/* Creates the spool of a batch of `owner`, named after its first message. NULL, with the problem.
 */
p3_mbox_spool *p3_mbox_spool_make(const char *mbox, const char *owner, const char *name,
                                  p3_problem *why);

/* Opens a left-over spool. NULL, with the problem. */
p3_mbox_spool *p3_mbox_spool_open(const char *path, p3_problem *why);

/* Adds what a run after a crash must know, and makes the file durable. False with errno. */
bool p3_mbox_spool_seal(const p3_mbox_spool *s, const p3_batch *b);

/* Reads that; *end is the offset at which the names before it end; *sealed: it is complete. False,
 * with errno, when it cannot be read. */
bool p3_mbox_spool_read(p3_mbox_spool *s, uint64_t *end, bool *sealed);

/* Frees a spool, and removes its file if requested. NULL does nothing. */
void p3_mbox_spool_free(p3_mbox_spool *s, bool remove);

#endif
