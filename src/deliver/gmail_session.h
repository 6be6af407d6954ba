/* Requests to Google's API for one mailbox, over several connections: each request is paced, and
 * repeated if that is safe. */
#ifndef P3_DELIVER_GMAIL_SESSION_H
#define P3_DELIVER_GMAIL_SESSION_H

#include <jansson.h>

#include "deliver/gmail_answer.h"
#include "deliver/gmail_options.h"

/* How often a request is made in all if it fails temporarily. */
#define P3_GMAIL_ATTEMPTS 5

/* Longest URL. */
#define P3_GMAIL_URL 4096

/* What the connections share: the mailbox, the token, the rate limit. */
typedef struct p3_gmail_session p3_gmail_session;

/* One connection, for one thread. */
typedef struct p3_gmail_connection p3_gmail_connection;

/* A request. */
typedef struct p3_gmail_call {
    const char *doing; /* the beginning of problems */
    p3_http_request request;
    unsigned units; /* units of the quota */
    bool repeats;   /* it may be carried out twice */
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

/* Makes a request, repeating it as long as that makes sense; waits if Google asks for that. `*out`
 * is the answer's JSON on success; json_decref() it. */
p3_gmail_verdict p3_gmail_ask(p3_gmail_connection *l, const p3_gmail_call *c, json_t **out,
                              p3_problem *why);

/* Waits before the next request, after a failure that asks for it: the longer, the more attempts
 * there were, starting with 0; at least `least` seconds. */
void p3_gmail_back_off(p3_gmail_connection *l, int attempt, int64_t least);

#endif
