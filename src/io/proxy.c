/* Connects through a proxy: the input and output that all protocols share. */
#include "io/proxy.h"

#include "core/wipe.h"
#include "io/socket.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

p3_proxy *p3_proxy_new(pop3_status (*begin)(p3_proxy *p), const char *host, uint16_t port,
                       const char *user, const char *password)
{
    p3_proxy *p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    p->host = host;
    p->port = port;
    p->user = user;
    p->password = password;
    if (p3_octets_init(&p->out, 256) && begin(p) == POP3_PENDING)
        return p;
    p3_proxy_free(p);
    return NULL;
}

void p3_proxy_free(p3_proxy *p)
{
    if (p == NULL)
        return;
    p3_octets_free(&p->out);
    p3_wipe_free(p, sizeof *p);
}

pop3_status p3_proxy_fail(p3_proxy *p, pop3_status status, int sys_errno, const char *format, ...)
{
    va_list args;
    int n = snprintf(p->why, sizeof p->why, "the %s proxy ", p->kind);
    va_start(args, format);
    vsnprintf(p->why + n, sizeof p->why - (size_t)n, format, args);
    va_end(args);
    p->sys_errno = sys_errno;
    return status;
}

pop3_status p3_proxy_await(p3_proxy *p, size_t n)
{
    p->in_len = 0;
    p->need = n;
    return POP3_PENDING;
}

bool p3_proxy_wants_write(const p3_proxy *p)
{
    return p->sent < p->out.len;
}

/* POP3_OK when all has been sent. */
static pop3_status send_out(p3_proxy *p, int fd)
{
    while (p3_proxy_wants_write(p)) {
        ssize_t n = p3_send(fd, p->out.data + p->sent, p->out.len - p->sent);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return POP3_PENDING;
        if (n < 0)
            return p3_proxy_fail(p, POP3_ERR_IO, errno, "cannot be written to: %s",
                                 strerror(errno));
        p->sent += (size_t)n;
    }
    p3_wipe(p->out.data, p->out.len);
    p->out.len = p->sent = 0;
    return POP3_OK;
}

/* POP3_OK when the reply is complete. Reads no octet after it. */
static pop3_status receive(p3_proxy *p, int fd)
{
    while (p->in_len < p->need) {
        ssize_t n = p3_recv(fd, p->in + p->in_len, p->need - p->in_len);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return POP3_PENDING;
        if (n < 0)
            return p3_proxy_fail(p, POP3_ERR_IO, errno, "cannot be read from: %s", strerror(errno));
        if (n == 0)
            return p3_proxy_fail(p, POP3_ERR_CLOSED, 0, "closed the connection");
        p->in_len += (size_t)n;
    }
    return POP3_OK;
}

pop3_status p3_proxy_step(p3_proxy *p, int fd)
{
    for (;;) {
        pop3_status status = send_out(p, fd);
        if (status == POP3_OK)
            status = receive(p, fd);
        if (status == POP3_OK)
            status = p->next(p);
        else
            return status;
        if (status != POP3_PENDING)
            return status;
    }
}
