/* What an answer of Google's API means. */
#ifndef P3_DELIVER_GMAIL_ANSWER_H
#define P3_DELIVER_GMAIL_ANSWER_H

#include <stddef.h>

#include "support/problem.h"

typedef enum p3_gmail_verdict {
    P3_GMAIL_GOOD,   /* done */
    P3_GMAIL_BUSY,   /* refused for now: too much was asked for */
    P3_GMAIL_UNSURE, /* the server failed, or its answer got lost: nobody knows whether it did it */
    P3_GMAIL_TOKEN,  /* the token is not good, or no longer */
    P3_GMAIL_SCOPE,  /* the token is not for this */
    P3_GMAIL_THERE,  /* what was to be made is there */
    P3_GMAIL_MISSING, /* there is no such thing */
    P3_GMAIL_MESSAGE, /* what was sent is refused for good */
    P3_GMAIL_LABEL,   /* a label of it is refused, or not there any more */
    P3_GMAIL_STOP     /* refused whatever is sent, until something is changed */
} p3_gmail_verdict;

/* Judges an answer by its status and the error in its body, which may be anything. Sets `why`,
 * beginning with `doing`, unless it is good; `renewal` says how to get another token. */
p3_gmail_verdict p3_gmail_judge(long status, const char *body, size_t len, const char *doing,
                                const char *renewal, p3_problem *why);

#endif
