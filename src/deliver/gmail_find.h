/* Whether a message is in Gmail. */
#ifndef P3_DELIVER_GMAIL_FIND_H
#define P3_DELIVER_GMAIL_FIND_H

#include "deliver/gmail_session.h"
#include "support/fingerprint.h"

/* What a message can be found by, its Message-ID without the angles around it, and what proves that
 * it is the one. */
typedef struct p3_gmail_identity {
    char mark[400]; /* what its header gets: the name of its intent, and the print of what came */
    char id[1000];  /* "": there is one that cannot be searched for */
    bool is_ours;   /* the message has none: it gets this one, made of the name of its intent */
} p3_gmail_identity;

/* Finds it in a part of a file. False with the problem. */
bool p3_gmail_identify(p3_gmail_identity *out, int fd, uint64_t offset, uint64_t length,
                       const char *name, const p3_fingerprint *print, p3_problem *why);

/* Whether the message was delivered. Its Message-ID finds it, in the spam and the bin, too; the
 * mark in its header proves it. The name alone would not: an intent that is left over goes to the
 * message that has its unique-id now, or none, and others may have chosen its Message-ID. */
p3_gmail_verdict p3_gmail_find(p3_gmail_connection *l, const p3_gmail_identity *who, bool *is_there,
                               p3_problem *why);

#endif
