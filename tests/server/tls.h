/* TLS contexts: certificate, versions, client certificates and ALPN, as a test asks for them.
 * What a connection does with a context is in conn.c. */
#ifndef TESTSERVER_TLS_H
#define TESTSERVER_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

struct tls_settings {
    const char *cert;      /* PEM: the certificate, then its chain */
    const char *key;       /* PEM; NULL: in the same file as the certificate */
    const char *client_ca; /* PEM; NULL: do not ask for a client certificate */
    int min;               /* a TLS1_*_VERSION, or 0 for the default */
    int max;
    bool alpn; /* choose "pop3" when the client offers protocols */
};

/* "1.0" to "1.3" as a TLS1_*_VERSION; 0 when it is none of these. */
int tls_version(const char *text);

/* NULL on failure, with the reason written to why. */
SSL_CTX *tls_context(const struct tls_settings *settings, char *why, size_t why_size);

#endif
