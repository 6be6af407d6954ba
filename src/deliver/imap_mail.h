/* A message for an IMAP server: its octets, and its date in the folder. */
#ifndef P3_DELIVER_IMAP_MAIL_H
#define P3_DELIVER_IMAP_MAIL_H

#include "deliver/imap_wire.h"
#include "deliver/spool.h"

typedef struct p3_imap_mail {
    const p3_spool_mail *spooled;
    uint64_t octets; /* length of the literal */
    char date[32];   /* a date-time of RFC 9051; "": the server's time */
} p3_imap_mail;

/* Reads what must be known about a message before it is sent. False, with errno. */
bool p3_imap_mail_examine(p3_imap_mail *m, const p3_spool_mail *spooled, p3_imap_date date);

/* Sends it. False, with errno; `*unread`: reading the file failed. */
bool p3_imap_mail_put(const p3_imap_mail *m, p3_imap_wire *w, bool *unread);

#endif
