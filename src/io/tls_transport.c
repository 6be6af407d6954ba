/* The transport of OpenSSL: send(2) and recv(2). */
#include "io/tls_transport.h"

#include "io/socket.h"

#include <errno.h>

/* The transport is our own because OpenSSL's socket BIO writes with write(2), which raises SIGPIPE.
 */
static int transport_write(BIO *bio, const char *data, int len)
{
    p3_tls_wire *w = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t n = p3_send(w->fd, data, (size_t)len);
    if (n < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            BIO_set_retry_write(bio);
        else
            w->sys_errno = errno;
    }
    return (int)n;
}

static int transport_read(BIO *bio, char *buffer, int len)
{
    p3_tls_wire *w = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (w->may_read == 0) { /* as if nothing had been received */
        BIO_set_retry_read(bio);
        return -1;
    }
    ssize_t n = p3_recv(w->fd, buffer, (size_t)len < w->may_read ? (size_t)len : w->may_read);
    if (n > 0)
        w->may_read -= (size_t)n;
    if (n == 0)
        w->ended = true;
    if (n < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            BIO_set_retry_read(bio);
        else
            w->sys_errno = errno;
    }
    return (int)n;
}

static long transport_control(BIO *bio, int command, long number, void *pointer)
{
    (void)number;
    (void)pointer;
    p3_tls_wire *w = BIO_get_data(bio);
    switch (command) {
    case BIO_CTRL_FLUSH: /* nothing is buffered here */
        return 1;
    case BIO_CTRL_EOF:
        return w != NULL && w->ended;
    default:
        return 0;
    }
}

static int transport_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

BIO_METHOD *p3_tls_transport(void)
{
    /* No BIO_get_new_index(): a process has few of them, and nobody looks this BIO up by its type.
     */
    BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "libpop3 socket");
    if (m == NULL)
        return NULL;
    if (BIO_meth_set_write(m, transport_write) != 1 || BIO_meth_set_read(m, transport_read) != 1 ||
        BIO_meth_set_ctrl(m, transport_control) != 1 ||
        BIO_meth_set_create(m, transport_create) != 1) {
        BIO_meth_free(m);
        return NULL;
    }
    return m;
}
