/* The transport of OpenSSL over a non-blocking socket. */
#ifndef P3_IO_TLS_TRANSPORT_H
#define P3_IO_TLS_TRANSPORT_H

#include <openssl/bio.h>
#include <stdbool.h>
#include <stddef.h>

/* The data of a session's BIO. */
typedef struct p3_tls_wire {
    int fd;          /* belongs to the caller */
    bool ended;      /* the socket has ended */
    int sys_errno;   /* errno of the socket's failure, or 0 */
    size_t may_read; /* octets that the current call of OpenSSL may still read */
} p3_tls_wire;

/* may_read at the beginning of a call: OpenSSL skips some messages of the server (renegotiation
 * requests, tickets) within one call, and a server that sends nothing else would block it for ever.
 */
#define P3_TLS_CALL_READS ((size_t)128 * 1024)

/* Creates the BIO method of a context's sessions; NULL when out of memory. */
BIO_METHOD *p3_tls_transport(void);

#endif
