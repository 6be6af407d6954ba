/* Where a server is that mail is sent to, and as whom to log in there: SCHEME://USER@HOST[:PORT]/,
 * or with an s behind the scheme for TLS from the first octet (RFC 3986). */
#ifndef P3_DELIVER_SERVER_URL_H
#define P3_DELIVER_SERVER_URL_H

#include "deliver/server_address.h"

#include <stddef.h>

/* A scheme, and its usual ports. */
typedef struct p3_server_scheme {
    const char *name; /* "imap": then "imaps" is that with TLS from the first octet */
    const char *port;
    const char *tls_port;
} p3_server_scheme;

typedef struct p3_server_url {
    p3_server_address server;
    bool is_tls; /* from the first octet; else STARTTLS */
    char user[330];
    size_t rest; /* where what is behind the host's slash begins */
} p3_server_url;

/* Reads one. A user may be missing. False when it is none, or has a password. */
bool p3_server_url_read(p3_server_url *u, const char *text, const p3_server_scheme *scheme);

/* Whether two are one server, with one user, reached in the same way. */
bool p3_server_url_is_equal(const p3_server_url *a, const p3_server_url *b);

/* Copies a part without its %XX. False when it is empty or too long, or has control characters. */
bool p3_url_decode(const char *at, size_t len, char *out, size_t size);

#endif
