/* The meaning of an answer of Google's API. */
#ifndef P3_DELIVER_GMAIL_ANSWER_H
#define P3_DELIVER_GMAIL_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "support/problem.h"

typedef enum p3_gmail_verdict {
    P3_GMAIL_GOOD,   /* done */
    P3_GMAIL_BUSY,   /* refused for now: the quota is exceeded */
    P3_GMAIL_UNSURE, /* the server failed, or its answer was lost: it is unknown whether the request
                        was carried out */
    P3_GMAIL_TOKEN,  /* the token is invalid or has expired */
    P3_GMAIL_SCOPE,  /* the token does not permit this */
    P3_GMAIL_THERE,  /* the thing to create exists */
    P3_GMAIL_MISSING, /* the thing does not exist */
    P3_GMAIL_MESSAGE, /* the message is refused permanently */
    P3_GMAIL_LABEL,   /* a label of it is refused, or not there any more */
    P3_GMAIL_STOP     /* everything is refused until something is changed */
} p3_gmail_verdict;

/* Interprets an answer by its status and the error in its body, which may be anything. Unless it is
 * good, sets `why`, beginning with `doing`; `renewal` says how to get another token. */
p3_gmail_verdict p3_gmail_judge(long status, const char *body, size_t len, const char *doing,
                                const char *renewal, p3_problem *why);

/* The seconds until the time that the words of a refusal name, "Retry after 2026-11-30T10:00:00Z";
 * or 0. `now` is a time(2). */
int64_t p3_gmail_retry_after(const char *body, size_t len, int64_t now);

#endif
