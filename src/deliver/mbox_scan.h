/* The messages in a part of an mbox, each with an identity that does not change when a mail reader
 * adds Status and similar fields, or removes other messages. */
#ifndef P3_DELIVER_MBOX_SCAN_H
#define P3_DELIVER_MBOX_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/grow.h"

/* One message. */
typedef struct p3_mbox_message {
    unsigned char digest[32]; /* SHA-256 of its From line, header and body, without fields that
                                 readers change, and without empty lines at the end */
    uint64_t end;             /* the offset in the part at which the next one begins */
} p3_mbox_message;

typedef struct p3_mbox_messages {
    p3_mbox_message *at;
    size_t count;
    p3_room room;
} p3_mbox_messages;

/* Reads the first `length` octets of a file. False, with errno, on failure; free the messages in
 * any case. */
bool p3_mbox_scan(int fd, uint64_t length, p3_mbox_messages *out);

/* Marks in there[] which of `wanted` are among `all`; each of `all` counts once. Sorts `all` by
 * digest. */
bool p3_mbox_find(const p3_mbox_messages *wanted, p3_mbox_messages *all, bool *there);

void p3_mbox_messages_free(p3_mbox_messages *m);

#endif
