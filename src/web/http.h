/* One HTTPS request and its answer, by libcurl, which is loaded when it is first needed. */
#ifndef P3_WEB_HTTP_H
#define P3_WEB_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/problem.h"

/* Most octets of an answer: tokens of 16 KiB, twice, and what comes with them. */
#define P3_HTTP_MOST ((size_t)256 * 1024)

/* How the provider is reached. The strings are the caller's, and may be NULL. */
typedef struct p3_http_way {
    const char *ca_file; /* authorities instead of the system's */
    const char *proxy;   /* URL; NULL: what the environment says (https_proxy) */
    const char *proxy_user;
    const char *proxy_password;
} p3_http_way;

/* What is asked. */
typedef struct p3_http_request {
    const char *url;
    const char *body; /* NULL: a GET */
    const char *type; /* of the body; NULL: a form */
    const char *user; /* HTTP Basic, both encoded already; NULL: none */
    const char *password;
} p3_http_request;

/* What came back. */
typedef struct p3_http_answer {
    long status;
    char *body; /* with a NUL behind it, which does not count */
    size_t len;
    int64_t retry_after; /* seconds that the server asks to wait; 0: it does not */
} p3_http_answer;

/* How it ended. */
typedef enum p3_http_end {
    P3_HTTP_ANSWERED, /* with whatever status */
    P3_HTTP_NOT_SENT, /* the server cannot have got the request */
    P3_HTTP_LOST      /* it may have, but no answer came */
} p3_http_end;

/* Sends a request and waits for the answer, a minute at most. Certificates are verified; only https
 * is spoken, and a redirect is an answer that nobody follows. `doing` begins the problem, which is
 * set unless an answer came. Free the answer with p3_http_answer_free(). Threads may call it. */
p3_http_end p3_http_send(const p3_http_way *way, const p3_http_request *request, const char *doing,
                         p3_http_answer *answer, p3_problem *why);

/* Wipes and frees it. */
void p3_http_answer_free(p3_http_answer *answer);

#endif
