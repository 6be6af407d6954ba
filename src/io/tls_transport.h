/* How OpenSSL moves octets over a non-blocking socket. */
#ifndef P3_IO_TLS_TRANSPORT_H
#define P3_IO_TLS_TRANSPORT_H

#include <openssl/bio.h>
#include <stdbool.h>
#include <stddef.h>

/* What a session's BIO has as its data. */
typedef struct p3_tls_wire {
    int fd;          /* the caller's */
    bool ended;      /* the socket has ended */
    int sys_errno;   /* of the socket's failure, or 0 */
    size_t may_read; /* octets that the call of OpenSSL's under way may still take */
} p3_tls_wire;

/* What may_read is at the beginning of a call: OpenSSL passes over some messages of the server's
 * (requests to begin anew, tickets) within one call, and a server that sends nothing else would
 * hold it there for ever. */
#define P3_TLS_CALL_READS ((size_t)128 * 1024)

/* Makes the BIO method of a context's sessions; NULL when out of memory. */
BIO_METHOD *p3_tls_transport(void);

#endif
