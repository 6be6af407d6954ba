/* The messages in a part of an mbox, each with what identifies it whatever a mail reader does to
 * it: readers add Status and the like, and remove other messages. */
#ifndef P3_DELIVER_MBOX_SCAN_H
#define P3_DELIVER_MBOX_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/grow.h"

/* One message. */
typedef struct p3_mbox_message {
    unsigned char digest[32]; /* SHA-256 of its From line, header and body, without the fields that
                                 readers change, and without the empty lines at its end */
    uint64_t end;             /* where the next one begins: octets from the start of the part */
} p3_mbox_message;

typedef struct p3_mbox_messages {
    p3_mbox_message *at;
    size_t count;
    p3_room room;
} p3_mbox_messages;

/* Reads the first `length` octets of a file. False, with errno, when that cannot be done; free what
 * there is in any case. */
bool p3_mbox_scan(int fd, uint64_t length, p3_mbox_messages *out);

/* Marks in there[] which of `wanted` are among `all`; one of `all` counts once. Orders `all` by
 * digest. */
bool p3_mbox_find(const p3_mbox_messages *wanted, p3_mbox_messages *all, bool *there);

void p3_mbox_messages_free(p3_mbox_messages *m);

#endif
