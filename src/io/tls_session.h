/* TLS for one connection, over a non-blocking socket. */
#ifndef P3_IO_TLS_SESSION_H
#define P3_IO_TLS_SESSION_H

#include <pop3/tls.h>
#include <pop3/types.h>

/* TLS on one connection. */
typedef struct p3_tls_session p3_tls_session;

typedef enum p3_tls_io {
    P3_TLS_IO_OK,
    P3_TLS_IO_WANT_READ,  /* wait until the socket is readable, then call again */
    P3_TLS_IO_WANT_WRITE, /* wait until the socket is writable, then call again */
    P3_TLS_IO_CLOSED,     /* the peer has ended the stream; see p3_tls_session_error() */
    P3_TLS_IO_FAILED      /* see p3_tls_session_error() */
} p3_tls_io;

/* Begins TLS on a connected socket, which stays the caller's. `host` is the name that was asked
 * for. POP3_OK, POP3_ERR_MEMORY, POP3_ERR_ARGUMENT for a host name that TLS cannot name, or
 * POP3_ERR_NOT_OFFERED without TLS in the build. */
pop3_status p3_tls_session_new(p3_tls_session **out, pop3_tls *tls, int fd, const char *host);

/* The next step of the handshake. */
p3_tls_io p3_tls_session_handshake(p3_tls_session *s);

p3_tls_io p3_tls_session_read(p3_tls_session *s, char *buffer, size_t len, size_t *got);
p3_tls_io p3_tls_session_write(p3_tls_session *s, const char *data, size_t len, size_t *put);

/* After a failure: its class (POP3_ERR_CERTIFICATE, POP3_ERR_TLS, POP3_ERR_CLOSED, POP3_ERR_IO with
 * errno in *sys_errno) and a sentence, which lives as the session. */
pop3_status p3_tls_session_error(const p3_tls_session *s, const char **why, int *sys_errno);

/* What is wrong with the certificate after POP3_ERR_CERTIFICATE. */
pop3_certificate_fault p3_tls_session_fault(const p3_tls_session *s);

/* Why TLS failed, when it did. */
pop3_tls_fault p3_tls_session_why(const p3_tls_session *s);

/* The protocol version and cipher in use, such as "TLSv1.3" and "TLS_AES_256_GCM_SHA384". */
const char *p3_tls_session_version(const p3_tls_session *s);
const char *p3_tls_session_cipher(const p3_tls_session *s);

/* After a failed handshake: whether an earlier session was offered in it, which the server may not
 * have borne. It is not offered again. */
bool p3_tls_session_blames_resumption(p3_tls_session *s);

/* Whether the handshake went on with the session of an earlier connection. */
bool p3_tls_session_resumed(const p3_tls_session *s);

/* Octets of the longest channel binding. */
#define P3_TLS_BINDING 64

/* What a login can be bound to the connection with: writes it and returns its type's name,
 * "tls-exporter" (RFC 9266), "tls-server-end-point" or "tls-unique" (RFC 5929); NULL when there is
 * nothing that is safe. `type` is the only one to use, or NULL for the first of the first two. */
const char *p3_tls_session_binding(const p3_tls_session *s, const char *type,
                                   unsigned char out[P3_TLS_BINDING], size_t *len);

/* Whether the server's key was named by a pin, so that nobody else can be at the other end. */
bool p3_tls_session_pinned(const p3_tls_session *s);

/* Sends close_notify if that is possible without waiting. */
void p3_tls_session_farewell(p3_tls_session *s);

/* NULL does nothing. */
void p3_tls_session_free(p3_tls_session *s);

#endif
