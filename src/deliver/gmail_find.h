/* Finds out whether a message is in Gmail. */
#ifndef P3_DELIVER_GMAIL_FIND_H
#define P3_DELIVER_GMAIL_FIND_H

#include "deliver/gmail_session.h"
#include "support/fingerprint.h"

/* Identifies a message: its Message-ID without the angle brackets, and the proof in its header. */
typedef struct p3_gmail_identity {
    char mark[400]; /* added to its header: the name of the intent, and the fingerprint of the
                       received message */
    char id[1000];  /* "": it has one that cannot be searched for */
    bool is_ours;   /* the message has none: it gets this one, made from the name of its intent */
} p3_gmail_identity;

/* Reads it from a part of a file. False with the problem. */
bool p3_gmail_identify(p3_gmail_identity *out, int fd, uint64_t offset, uint64_t length,
                       const char *name, const p3_fingerprint *print, p3_problem *why);

/* Whether the message was delivered. It is searched for by its Message-ID, also in the spam folder
 * and the bin; the mark in its header proves it. The name alone would not: a left-over intent may
 * now belong to another message, and others can choose the same Message-ID. */
p3_gmail_verdict p3_gmail_find(p3_gmail_connection *l, const p3_gmail_identity *who, bool *is_there,
                               p3_problem *why);

#endif
