/* The contents of a TLS context. */
#ifndef P3_IO_TLS_CONTEXT_H
#define P3_IO_TLS_CONTEXT_H

#include <pop3/tls.h>

#include "io/tls_resume.h"
#include "io/tls_verify.h"

#include <openssl/ssl.h>
#include <stdatomic.h>

struct pop3_tls {
    atomic_int owners;        /* the caller, and each client and session */
    SSL_CTX *ctx;             /* counted */
    BIO_METHOD *transport;    /* transfers octets by send(2) and recv(2), see tls_transport.c */
    char *server_name;        /* name to verify instead of the host's, or NULL */
    bool wrapped;             /* `ctx` is the caller's own and is not changed */
    p3_tls_policy policy;     /* which certificates to accept */
    p3_tls_sessions sessions; /* sessions to resume */
};

/* Whether a context verifies the server. */
bool p3_tls_verifies(const pop3_tls *tls);

#endif
