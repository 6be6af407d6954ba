/* How a connection begins and ends: opening, the TLS handshake, and the several ways to close.
 * The waits that everything else is built on are here too. */
#define _POSIX_C_SOURCE 200809L
#include "conn.h"
#include "conn_wait.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t conn_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* poll() on the stop event and, when fd is not -1, on the socket. */
static enum io wait_for(const struct conn *c, int fd, short events, int64_t deadline)
{
    struct pollfd fds[2] = {{.fd = c->stop_fd, .events = POLLIN}, {.fd = fd, .events = events}};
    for (;;) {
        int timeout = -1;
        if (deadline >= 0) {
            int64_t left = deadline - conn_now();
            timeout = left < 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
        }
        int n = poll(fds, 2, timeout);
        if (n < 0 && errno != EINTR) {
            perror("pop3-testserver: poll");
            return IO_STOPPED;
        }
        if (n > 0 && fds[0].revents != 0) {
            return IO_STOPPED;
        }
        if (n > 0) {
            return IO_OK;
        }
        if (n == 0 && deadline >= 0 && conn_now() >= deadline) {
            return IO_TIMEOUT;
        }
    }
}

enum io conn_poll(const struct conn *c, short events, int64_t deadline)
{
    return wait_for(c, c->fd, events, deadline);
}

enum io conn_pause(const struct conn *c, unsigned ms)
{
    enum io result = wait_for(c, -1, 0, conn_now() + (int64_t)ms);
    return result == IO_TIMEOUT ? IO_OK : result;
}

struct conn *conn_new(int fd, int stop_fd, unsigned number, struct log *log)
{
    struct conn *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return NULL;
    }
    int on = 1;
    /* Pieces must leave as they are written. When this fails the client went already. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->fd = fd;
    c->stop_fd = stop_fd;
    c->number = number;
    c->log = log;
    c->limit = UINT64_MAX;
    log_event(log, number, "open");
    return c;
}

void conn_free(struct conn *c)
{
    conn_close(c, CLOSE_ORDERLY);
    tls_free(c->tls);
    free(c);
}

static void log_handshake(struct conn *c)
{
    char agreed[400];
    tls_describe(c->tls, agreed, sizeof agreed);
    log_event(c->log, c->number, "tls %s", agreed);
}

static enum io handshake_failed(struct conn *c, const char *reason)
{
    log_event(c->log, c->number, "tls failed: %s",
              reason != NULL ? reason : "the client closed the connection");
    c->tls_broken = true;
    c->gone = true;
    c->eof = true;
    return IO_FAILED;
}

enum io conn_start_tls(struct conn *c, struct tls_context *context)
{
    enum io result = conn_flush(c);
    if (result == IO_STOPPED) {
        return result;
    }
    if (c->gone || c->eof || c->tls != NULL) {
        return handshake_failed(c, NULL);
    }
    /* RFC 2595 §4: what the client said in the clear is forgotten, commands sent ahead too. */
    c->in_start = c->in_scanned = c->in_end = 0;
    c->tls = tls_new(context, c->fd);
    if (c->tls == NULL) {
        return handshake_failed(c, tls_reason());
    }
    for (;;) {
        enum tls_io io = tls_accept(c->tls);
        if (io == TLS_DONE) {
            log_handshake(c);
            return IO_OK;
        }
        if (io != TLS_WANT_READ && io != TLS_WANT_WRITE) {
            return handshake_failed(c, tls_reason());
        }
        result = conn_poll(c, io == TLS_WANT_READ ? POLLIN : POLLOUT, -1);
        if (result != IO_OK) {
            return result;
        }
    }
}

void conn_close_notify(struct conn *c)
{
    if (c->tls == NULL || c->gone || c->tls_broken || conn_flush(c) != IO_OK) {
        return;
    }
    while (tls_close(c->tls) == TLS_WANT_WRITE && conn_poll(c, POLLOUT, -1) == IO_OK) {
        continue; /* then it is sent; or the client has gone and does not miss it */
    }
}

void conn_shutdown(struct conn *c)
{
    if (c->fd >= 0 && conn_flush(c) == IO_OK) {
        (void)shutdown(c->fd, SHUT_WR); /* fails only when the client has gone */
        c->gone = true;
    }
}

/* A close() with unread octets makes the kernel send RST, which can take the last reply away from
 * the client: so FIN goes first, and the client's own close is awaited for a while. */
static void linger(struct conn *c)
{
    static const size_t scrap_size = 16384;
    int64_t deadline = conn_now() + CONN_LINGER_MS;
    (void)shutdown(c->fd, SHUT_WR);
    for (;;) {
        ssize_t n = recv(c->fd, c->in, scrap_size, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
            break;
        }
        if (n < 0 && conn_poll(c, POLLIN, deadline) != IO_OK) {
            break;
        }
        if (n > 0 && conn_now() >= deadline) {
            break;
        }
    }
}

void conn_close(struct conn *c, enum close_how how)
{
    if (c->fd < 0) {
        return;
    }
    if (!c->gone && conn_flush(c) == IO_STOPPED) {
        how = CLOSE_TCP;
    }
    if (c->fd < 0) {
        return; /* the flush met the limit, and closed */
    }
    if (how == CLOSE_ORDERLY && !c->no_close_notify) {
        conn_close_notify(c);
    }
    log_event(c->log, c->number, how == CLOSE_RESET ? "close reset" : "close");
    if (how == CLOSE_RESET) {
        struct linger now = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    } else if (!c->eof || c->tls != NULL) {
        linger(c);
    }
    (void)close(c->fd); /* nothing can be done about a failure, and Linux frees fd all the same */
    c->fd = -1;
    c->eof = true;
    c->gone = true;
    c->in_start = c->in_scanned = c->in_end = 0;
    c->out_len = 0;
}
