/* A connected stream: reads and writes without blocking, with or without TLS. */
#include "io/stream.h"

#include "io/socket.h"

#include <errno.h>

static p3_io from_errno(void)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return P3_IO_AGAIN;
    return errno == ECONNRESET || errno == EPIPE ? P3_IO_CLOSED : P3_IO_FAILED;
}

static p3_io from_tls(p3_tls_io result, bool *wants_other, p3_tls_io other)
{
    *wants_other = result == other;
    switch (result) {
    case P3_TLS_IO_OK:
        return P3_IO_OK;
    case P3_TLS_IO_WANT_READ:
    case P3_TLS_IO_WANT_WRITE:
        return P3_IO_AGAIN;
    case P3_TLS_IO_CLOSED:
        return P3_IO_CLOSED;
    default:
        return P3_IO_FAILED;
    }
}

/* Reads records until the buffer is full or nothing is left: octets in OpenSSL's buffer would not
 * wake a wait on the socket. */
static p3_io read_tls(p3_stream *s, char *buffer, size_t len, size_t *got, bool *again)
{
    while (*got < len) {
        size_t n = 0;
        p3_tls_io result = p3_tls_session_read(s->tls, buffer + *got, len - *got, &n);
        *got += n;
        if (result != P3_TLS_IO_OK) {
            p3_io io = from_tls(result, &s->read_wants_write, P3_TLS_IO_WANT_WRITE);
            if (*got == 0)
                return io;
            /* The end or a failure shows again at the next read, which must not wait for the
             * socket, because its octets have been read. */
            *again = io != P3_IO_AGAIN;
            return P3_IO_OK;
        }
    }
    *again = true;
    return P3_IO_OK;
}

p3_io p3_stream_read(p3_stream *s, char *buffer, size_t len, size_t *got, bool *again)
{
    *got = 0;
    *again = false;
    if (s->tls != NULL)
        return read_tls(s, buffer, len, got, again);
    ssize_t n = p3_recv(s->fd, buffer, len);
    if (n < 0)
        return from_errno();
    *got = (size_t)n;
    *again = *got == len;
    if (n == 0)
        errno = 0; /* a regular end, not a reset */
    return n == 0 ? P3_IO_CLOSED : P3_IO_OK;
}

p3_io p3_stream_write(p3_stream *s, const char *data, size_t len, size_t *put)
{
    *put = 0;
    if (s->tls != NULL) {
        p3_tls_io result = p3_tls_session_write(s->tls, data, len, put);
        return from_tls(result, &s->write_wants_read, P3_TLS_IO_WANT_READ);
    }
    ssize_t n = p3_send(s->fd, data, len);
    if (n < 0)
        return from_errno();
    *put = (size_t)n;
    return P3_IO_OK;
}

void p3_stream_close(p3_stream *s, bool farewell, p3_retired *retired)
{
    if (s->tls != NULL) {
        if (farewell)
            p3_tls_session_farewell(s->tls);
        p3_tls_session_free(s->tls);
        s->tls = NULL;
    }
    p3_retire(retired, &s->fd);
    s->read_wants_write = s->write_wants_read = false;
}
