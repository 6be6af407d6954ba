/* Inside of a TLS context, for its sessions. */
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
    BIO_METHOD *transport;    /* octets through send(2) and recv(2), see tls_transport.c */
    char *server_name;        /* name to verify in place of the one connected to, or NULL */
    bool wrapped;             /* `ctx` is the caller's own: nothing about it is changed */
    p3_tls_policy policy;     /* whom to accept */
    p3_tls_sessions sessions; /* to resume */
};

/* Whether a context verifies the server. */
bool p3_tls_verifies(const pop3_tls *tls);

#endif
