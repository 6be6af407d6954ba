/* Replaces tls_session.c in a build without TLS, where no session begins. */
#include "io/tls_session.h"

pop3_status p3_tls_session_new(p3_tls_session **out, pop3_tls *tls, int fd, const char *host)
{
    (void)tls;
    (void)fd;
    (void)host;
    *out = NULL;
    return POP3_ERR_NOT_OFFERED;
}

p3_tls_io p3_tls_session_handshake(p3_tls_session *s)
{
    (void)s;
    return P3_TLS_IO_FAILED;
}

p3_tls_io p3_tls_session_read(p3_tls_session *s, char *buffer, size_t len, size_t *got)
{
    (void)s;
    (void)buffer;
    (void)len;
    *got = 0;
    return P3_TLS_IO_FAILED;
}

p3_tls_io p3_tls_session_write(p3_tls_session *s, const char *data, size_t len, size_t *put)
{
    (void)s;
    (void)data;
    (void)len;
    *put = 0;
    return P3_TLS_IO_FAILED;
}

pop3_status p3_tls_session_error(const p3_tls_session *s, const char **why, int *sys_errno)
{
    (void)s;
    *why = "this build of libpop3 has no TLS";
    *sys_errno = 0;
    return POP3_ERR_NOT_OFFERED;
}

const char *p3_tls_session_version(const p3_tls_session *s)
{
    (void)s;
    return "";
}

const char *p3_tls_session_cipher(const p3_tls_session *s)
{
    (void)s;
    return "";
}

bool p3_tls_session_blames_resumption(p3_tls_session *s)
{
    (void)s;
    return false;
}

bool p3_tls_session_resumed(const p3_tls_session *s)
{
    (void)s;
    return false;
}

const char *p3_tls_session_binding(const p3_tls_session *s, const char *type,
                                   unsigned char out[P3_TLS_BINDING], size_t *len)
{
    (void)s;
    (void)type;
    (void)out;
    (void)len;
    return NULL;
}

pop3_certificate_fault p3_tls_session_fault(const p3_tls_session *s)
{
    (void)s;
    return POP3_CERTIFICATE_GOOD;
}

pop3_tls_fault p3_tls_session_why(const p3_tls_session *s)
{
    (void)s;
    return POP3_TLS_FAULT_NONE;
}

bool p3_tls_session_pinned(const p3_tls_session *s)
{
    (void)s;
    return false;
}

void p3_tls_session_farewell(p3_tls_session *s)
{
    (void)s;
}

void p3_tls_session_free(p3_tls_session *s)
{
    (void)s;
}
