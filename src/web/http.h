/* HTTPS requests by libcurl, which is loaded when it is first needed. */
#ifndef P3_WEB_HTTP_H
#define P3_WEB_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/problem.h"

struct sockaddr_storage;

/* Most octets of an answer, and of its header: enough for two tokens of 16 KiB. */
#define P3_HTTP_MOST ((size_t)256 * 1024)

/* How the provider is reached. The strings belong to the caller, and may be NULL. */
typedef struct p3_http_way {
    const char *ca_file;           /* authorities instead of the system's */
    int (*open)(const char *path); /* opens that file; NULL: p3_input_open() */
    const char *proxy;             /* URL; NULL: that of the environment (https_proxy); "": none */
    const char *proxy_user;
    const char *proxy_password;
    const char
        *addresses[2]; /* HOST:PORT:ADDRESS,... for names that need not be looked up; NULL: none */
    /* Begins to connect if this process may not create sockets (EPERM): a socket that is
     * connecting, or -1 with errno. NULL: not available. */
    int (*connect)(void *ctx, const struct sockaddr_storage *to,
                   const struct sockaddr_storage *source);
    bool only_ipv6; /* the host has only IPv6 addresses */
} p3_http_way;

/* A body that is sent in pieces: text, a part of a file, text. Everything belongs to the caller. */
typedef struct p3_http_upload {
    const char *head;
    size_t head_len;
    int fd;
    uint64_t offset, length;
    const char *tail;
    size_t tail_len;
    uint64_t done; /* octets sent; when all are, the server may have it */
    int error;     /* errno, if the file could not be read */
} p3_http_upload;

/* Its total size in octets. */
uint64_t p3_http_upload_octets(const p3_http_upload *u);

/* A request. */
typedef struct p3_http_request {
    const char *url;
    const char *body;       /* NULL: a GET, or an upload */
    p3_http_upload *upload; /* or NULL */
    const char *type;       /* of the body; NULL: a form */
    const char *user;       /* HTTP Basic, both already encoded; NULL: none */
    const char *password;
    const char *bearer; /* a token (RFC 6750); NULL: none */
    size_t most;        /* octets of the answer; 0: P3_HTTP_MOST */
} p3_http_request;

/* An answer. */
typedef struct p3_http_answer {
    long status;
    char *body; /* followed by a NUL, which does not count */
    size_t len;
    int64_t retry_after; /* seconds that the server asks to wait; 0: none */
} p3_http_answer;

/* HOST:PORT of the environment's proxy for https, as libcurl reads it; ignores no_proxy. In new
 * memory; NULL: none. */
char *p3_http_environment_proxy(void);

/* How a request ended. */
typedef enum p3_http_end {
    P3_HTTP_ANSWERED, /* with any status */
    P3_HTTP_NOT_SENT, /* the server cannot have got the request */
    P3_HTTP_LOST      /* it may have, but no answer was received */
} p3_http_end;

/* Sends a request and waits at most a minute for the answer. Certificates are verified; only https
 * is used, and redirects are not followed. `doing` begins the problem, which is set unless an
 * answer was received. Free the answer with p3_http_answer_free(). Thread-safe. */
p3_http_end p3_http_send(const p3_http_way *way, const p3_http_request *request, const char *doing,
                         p3_http_answer *answer, p3_problem *why);

/* A connection that is kept between requests. One thread at a time may use it. */
typedef struct p3_http_line p3_http_line;

/* NULL, with the problem, when libcurl cannot be loaded. */
p3_http_line *p3_http_line_new(const char *doing, p3_problem *why);

/* The same over a connection. A body that was begun is not sent again automatically: an upload may
 * take longer than a minute, depending on its size, but must not stall for two. */
p3_http_end p3_http_send_on(p3_http_line *line, const p3_http_way *way,
                            const p3_http_request *request, const char *doing,
                            p3_http_answer *answer, p3_problem *why);

/* NULL does nothing. */
void p3_http_line_free(p3_http_line *line);

/* Wipes and frees it. */
void p3_http_answer_free(p3_http_answer *answer);

#endif
