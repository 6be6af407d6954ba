/* TLS as the server sees it: contexts with what a test asks for (certificate, versions, client
 * certificates, ALPN), and connections of them. tls.c has it from OpenSSL; in a build without TLS,
 * tls_none.c says that there is none. */
#ifndef TESTSERVER_TLS_H
#define TESTSERVER_TLS_H

#include <stdbool.h>
#include <stddef.h>

struct tls_context;
struct tls; /* one connection */

struct tls_settings {
    const char *cert;      /* PEM: the certificate, then its chain */
    const char *key;       /* PEM; NULL: in the same file as the certificate */
    const char *client_ca; /* PEM; NULL: do not ask for a client certificate */
    int min;               /* as tls_version() has it, or 0 for the default */
    int max;
    bool alpn; /* choose "pop3" when the client offers protocols */
};

/* How a call ended that does not block. */
enum tls_io {
    TLS_DONE,
    TLS_WANT_READ, /* once the socket can be read, the same call again */
    TLS_WANT_WRITE,
    TLS_CLOSED, /* by the client's close_notify */
    TLS_FAILED, /* for good */
};

/* "1.0" to "1.3" as a number that grows with the version; 0 when it is none of these. */
int tls_version(const char *text);

/* NULL on failure, with the reason written to why. */
struct tls_context *tls_context_new(const struct tls_settings *settings, char *why,
                                    size_t why_size);
void tls_context_free(struct tls_context *context);

/* The server's side on a socket, which stays the caller's. NULL on failure. */
struct tls *tls_new(struct tls_context *context, int fd);
void tls_free(struct tls *t);

/* The handshake. */
enum tls_io tls_accept(struct tls *t);

/* What was agreed on: "TLSv1.3 sni=NAME alpn=PROTOCOL", "-" for what the client did not say. */
void tls_describe(const struct tls *t, char *out, size_t size);

/* Why the last call failed, or NULL when the client closed the connection. */
const char *tls_reason(void);

enum tls_io tls_read(struct tls *t, char *to, size_t size, size_t *got);
enum tls_io tls_write(struct tls *t, const char *data, size_t len, size_t *put);

/* Sends close_notify. */
enum tls_io tls_close(struct tls *t);

#endif
