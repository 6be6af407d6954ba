/* A server inside of the test program, in a thread. */
#define _POSIX_C_SOURCE 200809L
#include "peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

/* How long a side may be silent, in seconds: a test that waits for it has failed already. */
#define PATIENCE 60

static void *serve_all(void *arg)
{
    peer_server *s = arg;
    sigset_t pipe;
    int fd;
    sigemptyset(
        &pipe); /* OpenSSL's writes raise it when the client has gone: not the client's doing */
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
        struct timeval patience = {.tv_sec = PATIENCE};
        peer p = {.fd = fd};
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        s->serve(&p, s->ctx);
        SSL_free(p.ssl);
        close(fd);
    }
    return NULL;
}

void peer_start(peer_server *s, peer_fn serve, void *ctx)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    s->serve = serve;
    s->ctx = ctx;
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(s->listener >= 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s->listener, 8), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &len), 0);
    s->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve_all, s), 0);
}

void peer_stop(peer_server *s)
{
    shutdown(s->listener, SHUT_RDWR); /* wakes accept() */
    pthread_join(s->thread, NULL);
    close(s->listener);
}

bool peer_read(peer *p, void *buffer, size_t len)
{
    char *at = buffer;
    while (len > 0) {
        size_t got = 0;
        if (p->ssl != NULL) {
            if (SSL_read_ex(p->ssl, at, len, &got) != 1)
                return false;
        } else {
            ssize_t n = recv(p->fd, at, len, 0);
            if (n <= 0)
                return false;
            got = (size_t)n;
        }
        at += got;
        len -= got;
    }
    return true;
}

bool peer_line(peer *p, char *line, size_t size)
{
    size_t n = 0;
    while (n + 1 < size && peer_read(p, line + n, 1)) {
        if (line[n] == '\n') {
            if (n > 0 && line[n - 1] == '\r')
                n--;
            line[n] = '\0';
            return true;
        }
        n++;
    }
    return false;
}

bool peer_write(peer *p, const void *data, size_t len)
{
    size_t put = 0;
    if (p->ssl != NULL)
        return SSL_write_ex(p->ssl, data, len, &put) == 1;
    return send(p->fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

bool peer_say(peer *p, const char *format, ...)
{
    char text[8192];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return n > 0 && (size_t)n < sizeof text && peer_write(p, text, (size_t)n);
}

void peer_mailbox(peer *p)
{
    char line[300];
    while (peer_line(p, line, sizeof line)) {
        if (strcmp(line, "STAT") == 0)
            peer_say(p, "+OK 1 %zu\r\n", strlen(PEER_MAIL));
        else if (strcmp(line, "LIST") == 0)
            peer_say(p, "+OK\r\n1 %zu\r\n.\r\n", strlen(PEER_MAIL));
        else if (strcmp(line, "RETR 1") == 0)
            peer_say(p, "+OK\r\n%s.\r\n", PEER_MAIL);
        else if (strcmp(line, "QUIT") != 0)
            peer_say(p, "-ERR what?\r\n");
        else if (peer_say(p, "+OK bye\r\n"))
            return;
    }
}

SSL_CTX *peer_context(const char *certificate, const char *key, int max_version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (ctx != NULL && SSL_CTX_set_max_proto_version(ctx, max_version) == 1 &&
        SSL_CTX_use_certificate_chain_file(ctx, certificate) == 1 &&
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

bool peer_accept(peer *p, SSL_CTX *ctx)
{
    p->ssl = ctx == NULL ? NULL : SSL_new(ctx);
    return p->ssl != NULL && SSL_set_fd(p->ssl, p->fd) == 1 && SSL_accept(p->ssl) == 1;
}

bool peer_tls(peer *p, const char *certificate, const char *key, int max_version)
{
    SSL_CTX *ctx = peer_context(certificate, key, max_version);
    bool accepted = peer_accept(p, ctx);
    SSL_CTX_free(ctx);
    return accepted;
}

void peer_relay(peer *p, uint16_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons(port),
    };
    int there = socket(AF_INET, SOCK_STREAM, 0);
    bool open = there >= 0 && connect(there, (struct sockaddr *)&at, sizeof at) == 0;
    while (open) {
        struct pollfd fds[2] = {{.fd = p->fd, .events = POLLIN}, {.fd = there, .events = POLLIN}};
        open = poll(fds, 2, PATIENCE * 1000) > 0;
        for (int i = 0; open && i < 2; i++) {
            char buffer[4096];
            ssize_t n = fds[i].revents == 0 ? 0 : recv(fds[i].fd, buffer, sizeof buffer, 0);
            if (fds[i].revents != 0)
                open = n > 0 && send(fds[1 - i].fd, buffer, (size_t)n, MSG_NOSIGNAL) == n;
        }
    }
    if (there >= 0)
        close(there);
}
