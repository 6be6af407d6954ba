/* Delivers messages to Gmail, once each. */
#ifndef P3_DELIVER_GMAIL_IMPORT_H
#define P3_DELIVER_GMAIL_IMPORT_H

#include "deliver/gmail_session.h"
#include "deliver/recipients.h"
#include "support/fingerprint.h"

/* The largest message that Google accepts (reference of users.messages.import). */
#define P3_GMAIL_MOST ((uint64_t)150 * 1024 * 1024)

/* What is the same for many messages: the ids of labels, and what the token is found to be good
 * for. */
typedef struct p3_gmail_importer p3_gmail_importer;

/* A message: a part of a file, with CRLF. */
typedef struct p3_gmail_mail {
    const char *name; /* of its intent */
    int fd;
    uint64_t offset;
    uint64_t length;
    p3_fingerprint print;       /* of the received message */
    bool again;                 /* an earlier run may have delivered it */
    const p3_recipient *labels; /* those of its own, by name */
    size_t label_count;
} p3_gmail_mail;

/* What happened to a message. */
typedef enum p3_gmail_outcome {
    P3_GMAIL_DELIVERED, /* or found there: an earlier run had delivered it */
    P3_GMAIL_BLINDLY, /* delivered, although it may have been there; `why` says why that is unknown
                       */
    P3_GMAIL_REFUSED, /* permanently */
    P3_GMAIL_LATER,   /* not now: it may have arrived, and must be searched for first */
    P3_GMAIL_HELD,    /* not now: a label of its own cannot be */
    P3_GMAIL_ENDED    /* not now, and neither can the others */
} p3_gmail_outcome;

/* The options must outlive it. NULL when out of memory. */
p3_gmail_importer *p3_gmail_importer_new(const p3_gmail_options *options, p3_problem *why);

/* NULL does nothing. */
void p3_gmail_importer_free(p3_gmail_importer *i);

/* Delivers a message over a connection. Threads may call it at the same time, each with its own
 * connection. */
p3_gmail_outcome p3_gmail_import(p3_gmail_importer *i, p3_gmail_connection *l,
                                 const p3_gmail_mail *mail, p3_problem *why);

#endif
