/* Requests to Google's API on behalf of one mailbox, over several connections: each is paced, and
 * repeated where that is safe. */
#ifndef P3_DELIVER_GMAIL_SESSION_H
#define P3_DELIVER_GMAIL_SESSION_H

#include <jansson.h>

#include "deliver/gmail_answer.h"
#include "deliver/gmail_options.h"

/* A request that failed for now is made so many times in all. */
#define P3_GMAIL_ATTEMPTS 5

/* Longest URL. */
#define P3_GMAIL_URL 4096

/* What the connections share: the mailbox, the token, the pace. */
typedef struct p3_gmail_session p3_gmail_session;

/* One connection, for one thread. */
typedef struct p3_gmail_connection p3_gmail_connection;

/* What is asked, and what for. */
typedef struct p3_gmail_call {
    const char *doing; /* begins problems */
    p3_http_request request;
    unsigned units; /* of the quota */
    bool repeats;   /* it may be done twice */
} p3_gmail_call;

/* Both must outlive the session. NULL when out of memory. */
p3_gmail_session *p3_gmail_session_new(const char *user, const p3_gmail_options *options,
                                       p3_problem *why);

/* NULL does nothing. */
void p3_gmail_session_free(p3_gmail_session *s);

/* NULL, with the problem. */
p3_gmail_connection *p3_gmail_connection_new(p3_gmail_session *s, p3_problem *why);

/* NULL does nothing. */
void p3_gmail_connection_free(p3_gmail_connection *l);

/* Writes a URL below the user's: the service ("" or "/upload"), and the rest, such as "/labels". */
__attribute__((format(printf, 4, 5))) void p3_gmail_url(const p3_gmail_connection *l,
                                                        char out[P3_GMAIL_URL], const char *service,
                                                        const char *rest, ...);

/* Makes a request, until it is done or there is no point; waits where Google demands it. `*out` is
 * the answer's JSON when it is done; json_decref() it. */
p3_gmail_verdict p3_gmail_ask(p3_gmail_connection *l, const p3_gmail_call *c, json_t **out,
                              p3_problem *why);

/* Waits before whatever comes next, as a failure has asked for it: the longer, the more attempts
 * there were, from 0 on; `least` seconds or more. */
void p3_gmail_back_off(p3_gmail_connection *l, int attempt, int64_t least);

#endif
