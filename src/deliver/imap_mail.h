/* A message as an IMAP server gets it: its octets, and the date that it has in the folder. */
#ifndef P3_DELIVER_IMAP_MAIL_H
#define P3_DELIVER_IMAP_MAIL_H

#include "deliver/imap_wire.h"
#include "deliver/spool.h"

typedef struct p3_imap_mail {
    const p3_spool_mail *spooled;
    uint64_t octets; /* of the literal: exactly so many are sent */
    char date[32];   /* a date-time of RFC 9051; "": the server's own */
} p3_imap_mail;

/* Reads what is to be known of a message before it is sent. False, with errno. */
bool p3_imap_mail_examine(p3_imap_mail *m, const p3_spool_mail *spooled, p3_imap_date date);

/* Sends it. False, with errno; `*unread`: it was the file that failed. */
bool p3_imap_mail_put(const p3_imap_mail *m, p3_imap_wire *w, bool *unread);

#endif
