/* The messages of a batch for a server: one unnamed file that contains them in order, so that
 * memory does not grow with them. */
#ifndef P3_DELIVER_SPOOL_H
#define P3_DELIVER_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "deliver/recipients.h"
#include "support/grow.h"
#include "support/problem.h"

/* A message to be sent: a part of a file, with any line ends. */
typedef struct p3_spool_mail {
    int fd;
    uint64_t offset;
    uint64_t length;
    uint64_t octets;    /* with CRLF for each line end */
    const char *sender; /* "" for the null sender */
    p3_recipient *to;
    size_t to_count;
    bool is_8bit; /* it has octets above 127 */
    bool is_utf8; /* its header or an address has octets above 127: RFC 6531 */
} p3_spool_mail;

typedef struct p3_spool {
    int fd;
    p3_spool_mail *mails; /* complete messages */
    size_t count;
    p3_room room;
    uint64_t length;    /* of all of them */
    p3_spool_mail last; /* the current message */
    bool in_body;       /* its header has ended */
    bool line_empty;    /* the current line of its header is empty so far */
} p3_spool;

/* An empty spool. NULL, with the problem. */
p3_spool *p3_spool_new(p3_problem *why);

/* The problem of a spool that cannot be made or written, from errno: `server` is whom its messages
 * are for. Returns false. */
bool p3_spool_problem(p3_problem *why, const char *server);

/* Begins a message to some recipients, or none. The addresses must outlive the spool. False with
 * errno. */
bool p3_spool_begin(p3_spool *s, const char *sender, const p3_recipient *to, size_t to_count);

/* Adds a piece. False with errno. */
bool p3_spool_write(p3_spool *s, const char *data, size_t len);

/* The message is complete. False with errno. */
bool p3_spool_finish(p3_spool *s);

/* Discards it. False, with errno, when the spool cannot be used any more. */
bool p3_spool_abandon(p3_spool *s);

/* NULL does nothing. */
void p3_spool_free(p3_spool *s);

#endif
