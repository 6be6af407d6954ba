/* The messages of a batch on their way to an LMTP server: one file without a name, in which they
 * follow each other, so that memory does not grow with them. */
#ifndef P3_DELIVER_LMTP_SPOOL_H
#define P3_DELIVER_LMTP_SPOOL_H

#include "deliver/lmtp_session.h"
#include "support/grow.h"

typedef struct p3_lmtp_spool {
    int fd;
    p3_lmtp_mail *mails; /* those that are whole */
    size_t count;
    p3_room room;
    uint64_t length;   /* of all of them */
    p3_lmtp_mail last; /* the one being written */
    bool in_body;      /* of it: the header is over */
    bool line_empty;   /* of its header: nothing stands in the line in hand yet */
} p3_lmtp_spool;

/* A spool without messages. NULL, with the problem. */
p3_lmtp_spool *p3_lmtp_spool_new(p3_problem *why);

/* Begins a message. `sender` and `recipient` must outlive the spool. */
void p3_lmtp_spool_begin(p3_lmtp_spool *s, const char *sender, const char *recipient);

/* Adds a piece of it. False with errno. */
bool p3_lmtp_spool_write(p3_lmtp_spool *s, const char *data, size_t len);

/* It is whole. False with errno. */
bool p3_lmtp_spool_finish(p3_lmtp_spool *s);

/* Drops it. False, with errno, when the spool can't be used any more. */
bool p3_lmtp_spool_abandon(p3_lmtp_spool *s);

/* NULL does nothing. */
void p3_lmtp_spool_free(p3_lmtp_spool *s);

#endif
