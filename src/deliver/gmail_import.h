/* Delivers messages to Gmail, once each. */
#ifndef P3_DELIVER_GMAIL_IMPORT_H
#define P3_DELIVER_GMAIL_IMPORT_H

#include "deliver/gmail_session.h"
#include "deliver/recipients.h"
#include "support/fingerprint.h"

/* The largest message that Google takes (the reference of users.messages.import). */
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
    p3_fingerprint print;       /* of the message as it came */
    bool again;                 /* an earlier run may have delivered it */
    const p3_recipient *labels; /* those of its own, by name */
    size_t label_count;
} p3_gmail_mail;

/* What became of it. */
typedef enum p3_gmail_outcome {
    P3_GMAIL_DELIVERED, /* or found there: an earlier run had delivered it */
    P3_GMAIL_BLINDLY,   /* delivered, though it may have been there; `why` says why nobody knows */
    P3_GMAIL_REFUSED,   /* for good */
    P3_GMAIL_LATER,     /* not now: it may have arrived, and is to be asked for first */
    P3_GMAIL_HELD,      /* not now: a label of its own cannot be */
    P3_GMAIL_ENDED      /* not now, and the others need not be tried */
} p3_gmail_outcome;

/* The options must outlive it. NULL when out of memory. */
p3_gmail_importer *p3_gmail_importer_new(const p3_gmail_options *options, p3_problem *why);

/* NULL does nothing. */
void p3_gmail_importer_free(p3_gmail_importer *i);

/* Delivers a message over a connection. Threads may call it, each with a connection of its own. */
p3_gmail_outcome p3_gmail_import(p3_gmail_importer *i, p3_gmail_connection *l,
                                 const p3_gmail_mail *mail, p3_problem *why);

#endif
