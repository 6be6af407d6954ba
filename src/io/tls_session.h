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

/* Begins TLS on a connected socket, which belongs to the caller. `host` is the requested name.
 * POP3_OK, POP3_ERR_MEMORY, POP3_ERR_ARGUMENT for a host name that TLS cannot represent, or
 * POP3_ERR_NOT_OFFERED in a build without TLS. */
pop3_status p3_tls_session_new(p3_tls_session **out, pop3_tls *tls, int fd, const char *host);

/* The next step of the handshake. */
p3_tls_io p3_tls_session_handshake(p3_tls_session *s);

p3_tls_io p3_tls_session_read(p3_tls_session *s, char *buffer, size_t len, size_t *got);
p3_tls_io p3_tls_session_write(p3_tls_session *s, const char *data, size_t len, size_t *put);

/* After a failure: its class (POP3_ERR_CERTIFICATE, POP3_ERR_TLS, POP3_ERR_CLOSED, POP3_ERR_IO with
 * errno in *sys_errno) and a message, valid as long as the session. */
pop3_status p3_tls_session_error(const p3_tls_session *s, const char **why, int *sys_errno);

/* What is wrong with the certificate after POP3_ERR_CERTIFICATE. */
pop3_certificate_fault p3_tls_session_fault(const p3_tls_session *s);

/* Why TLS failed. */
pop3_tls_fault p3_tls_session_why(const p3_tls_session *s);

/* The protocol version and cipher in use, such as "TLSv1.3" and "TLS_AES_256_GCM_SHA384". */
const char *p3_tls_session_version(const p3_tls_session *s);
const char *p3_tls_session_cipher(const p3_tls_session *s);

/* After a failed handshake: whether an earlier session was offered in it, which may be the cause.
 * It is not offered again. */
bool p3_tls_session_blames_resumption(p3_tls_session *s);

/* Whether the handshake resumed an earlier session. */
bool p3_tls_session_resumed(const p3_tls_session *s);

/* Octets of the longest channel binding. */
#define P3_TLS_BINDING 64

/* Channel binding: writes the value that binds a login to the connection, and returns its type,
 * "tls-exporter" (RFC 9266), "tls-server-end-point" or "tls-unique" (RFC 5929); NULL if there is
 * none that is safe. `type` is the only one to use, or NULL for the first available of the first
 * two. */
const char *p3_tls_session_binding(const p3_tls_session *s, const char *type,
                                   unsigned char out[P3_TLS_BINDING], size_t *len);

/* Whether a pin named the server's key, so that nobody can be in between. */
bool p3_tls_session_pinned(const p3_tls_session *s);

/* Sends close_notify if that is possible without waiting. */
void p3_tls_session_farewell(p3_tls_session *s);

/* NULL does nothing. */
void p3_tls_session_free(p3_tls_session *s);

#endif
