/* How OpenSSL moves octets over a non-blocking socket. */
#ifndef P3_IO_TLS_TRANSPORT_H
#define P3_IO_TLS_TRANSPORT_H

#include <openssl/bio.h>
#include <stdbool.h>

/* What a session's BIO has as its data. */
typedef struct p3_tls_wire {
    int fd;        /* the caller's */
    bool ended;    /* the socket has ended */
    int sys_errno; /* of the socket's failure, or 0 */
} p3_tls_wire;

/* Makes the BIO method of a context's sessions; NULL when out of memory. */
BIO_METHOD *p3_tls_transport(void);

#endif
