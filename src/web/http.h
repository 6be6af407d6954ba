/* One HTTPS request and its answer, by libcurl, which is loaded when it is first needed. */
#ifndef P3_WEB_HTTP_H
#define P3_WEB_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/problem.h"

struct sockaddr_storage;

/* Most octets of an answer, and of its header: tokens of 16 KiB, twice, and what comes with them.
 */
#define P3_HTTP_MOST ((size_t)256 * 1024)

/* How the provider is reached. The strings are the caller's, and may be NULL. */
typedef struct p3_http_way {
    const char *ca_file;           /* authorities instead of the system's */
    int (*open)(const char *path); /* opens that file; NULL: p3_input_open() */
    const char *proxy; /* URL; NULL: what the environment says (https_proxy); "": none */
    const char *proxy_user;
    const char *proxy_password;
    const char *addresses[2]; /* HOST:PORT:ADDRESS,... of names to connect to, which need not be
                                 looked up; NULL: none */
    /* Begins to connect where this process may make no socket (EPERM): one that is being connected,
     * or -1 with errno. NULL: nobody does. */
    int (*connect)(void *ctx, const struct sockaddr_storage *to,
                   const struct sockaddr_storage *source);
    bool only_ipv6; /* whom to connect to has addresses of IPv6 alone */
} p3_http_way;

/* A body that is sent in pieces: text, a part of a file, text. Everything is the caller's. */
typedef struct p3_http_upload {
    const char *head;
    size_t head_len;
    int fd;
    uint64_t offset, length;
    const char *tail;
    size_t tail_len;
    uint64_t done; /* octets on their way; when it is all of them, the server may have it */
    int error;     /* errno, when the file could not be read */
} p3_http_upload;

/* Of how many octets it is. */
uint64_t p3_http_upload_octets(const p3_http_upload *u);

/* What is asked. */
typedef struct p3_http_request {
    const char *url;
    const char *body;       /* NULL: a GET, or an upload */
    p3_http_upload *upload; /* NULL: none */
    const char *type;       /* of the body; NULL: a form */
    const char *user;       /* HTTP Basic, both encoded already; NULL: none */
    const char *password;
    const char *bearer; /* a token (RFC 6750); NULL: none */
    size_t most;        /* octets of the answer; 0: P3_HTTP_MOST */
} p3_http_request;

/* What came back. */
typedef struct p3_http_answer {
    long status;
    char *body; /* with a NUL behind it, which does not count */
    size_t len;
    int64_t retry_after; /* seconds that the server asks to wait; 0: it does not */
} p3_http_answer;

/* HOST:PORT of the proxy that the environment names for https, as libcurl reads it; no_proxy is not
 * looked at. In new memory; NULL: none. */
char *p3_http_environment_proxy(void);

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

/* A connection that is kept from one request to the next. One thread at a time may use it. */
typedef struct p3_http_line p3_http_line;

/* NULL, with the problem, when libcurl cannot be loaded. */
p3_http_line *p3_http_line_new(const char *doing, p3_problem *why);

/* The same over it. A body that was begun is not sent a second time by itself: an upload may take
 * longer than a minute, in keeping with its size, but must not stand still for two. */
p3_http_end p3_http_send_on(p3_http_line *line, const p3_http_way *way,
                            const p3_http_request *request, const char *doing,
                            p3_http_answer *answer, p3_problem *why);

/* NULL does nothing. */
void p3_http_line_free(p3_http_line *line);

/* Wipes and frees it. */
void p3_http_answer_free(p3_http_answer *answer);

#endif
