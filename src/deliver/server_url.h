/* A server that mail is sent to, and the user there: SCHEME://USER@HOST[:PORT]/, or with an s after
 * the scheme for TLS from the first octet (RFC 3986). */
#ifndef P3_DELIVER_SERVER_URL_H
#define P3_DELIVER_SERVER_URL_H

#include "deliver/server_address.h"

#include <stddef.h>

/* A scheme and its default ports. */
typedef struct p3_server_scheme {
    const char *name; /* "imap"; "imaps" is the same with TLS from the first octet */
    const char *port;
    const char *tls_port;
} p3_server_scheme;

typedef struct p3_server_url {
    p3_server_address server;
    bool is_tls; /* from the first octet; else STARTTLS */
    char user[330];
    size_t rest; /* offset of what follows the slash after the host */
} p3_server_url;

/* Parses a URL. The user may be missing. False when it is invalid or contains a password. */
bool p3_server_url_read(p3_server_url *u, const char *text, const p3_server_scheme *scheme);

/* Whether two are the same server, user and kind of connection. */
bool p3_server_url_is_equal(const p3_server_url *a, const p3_server_url *b);

/* Decodes a part with %XX. False when it is empty or too long, or has control characters. */
bool p3_url_decode(const char *at, size_t len, char *out, size_t size);

#endif
