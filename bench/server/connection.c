/* A connection to the benchmark's server: octets in, a queue of spans out. */
#define _GNU_SOURCE
#include "server/connection.h"

#include "common.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Pieces for one writev(2), which Linux takes up to 1,024 of. */
#define MOST_PIECES 1024

/* Sends within one turn, so that one fast receiver does not starve the other connections. */
#define MOST_SENDS 64

void connection_put(connection *c, span text, char *own)
{
    if (c->out_last == c->out_cap) {
        size_t cap = c->out_cap == 0 ? 64 : c->out_cap * 2;
        piece *grown = realloc(c->out, cap * sizeof *grown);
        if (grown == NULL)
            die("output");
        c->out = grown;
        c->out_cap = cap;
    }
    c->out[c->out_last++] = (piece){text, own};
}

void connection_say(connection *c, const char *text)
{
    connection_put(c, (span){text, strlen(text)}, NULL);
}

bool connection_has_output(const connection *c)
{
    return c->out_first < c->out_last || c->record_sent < c->record_len;
}

/* Takes octets that have been sent off the queue. */
static void sent(connection *c, size_t n)
{
    while (n > 0) {
        piece *first = &c->out[c->out_first];
        size_t part = n < first->text.len ? n : first->text.len;
        first->text.data += part;
        first->text.len -= part;
        n -= part;
        if (first->text.len == 0) {
            free(first->own);
            c->out_first++;
        }
    }
    if (c->out_first == c->out_last)
        c->out_first = c->out_last = 0;
}

static moved send_plain(connection *c)
{
    struct iovec v[MOST_PIECES];
    size_t n = c->out_last - c->out_first;
    n = c->by_pieces ? 1 : n < MOST_PIECES ? n : MOST_PIECES;
    for (size_t i = 0; i < n; i++) {
        span text = c->out[c->out_first + i].text;
        v[i] = (struct iovec){(void *)(uintptr_t)text.data, text.len};
    }
    struct msghdr m = {.msg_iov = v, .msg_iovlen = n};
    ssize_t put = sendmsg(c->fd, &m, MSG_NOSIGNAL);
    if (put < 0)
        return errno == EAGAIN ? MOVED_NONE : MOVED_END;
    c->octets_out += (uint64_t)put;
    sent(c, (size_t)put);
    return MOVED_SOME;
}

static moved from_tls(connection *c, int result)
{
    int error = SSL_get_error(c->ssl, result);
    ERR_clear_error();
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? MOVED_NONE : MOVED_END;
}

/* Fills a record with small pieces; a piece that fills one by itself is not copied. */
static void gather(connection *c)
{
    c->record_len = c->record_sent = 0;
    while (c->out_first < c->out_last && c->record_len < sizeof c->record) {
        span text = c->out[c->out_first].text;
        size_t room = sizeof c->record - c->record_len;
        size_t part = text.len < room ? text.len : room;
        memcpy(c->record + c->record_len, text.data, part);
        c->record_len += part;
        sent(c, part);
    }
}

static moved send_tls(connection *c)
{
    size_t put = 0;
    if (c->record_sent == c->record_len) {
        span first = c->out[c->out_first].text;
        if (first.len >= sizeof c->record) {
            int result = SSL_write_ex(c->ssl, first.data, sizeof c->record, &put);
            if (result != 1)
                return from_tls(c, result);
            c->octets_out += put;
            sent(c, put);
            return MOVED_SOME;
        }
        gather(c);
    }
    int result =
        SSL_write_ex(c->ssl, c->record + c->record_sent, c->record_len - c->record_sent, &put);
    if (result != 1)
        return from_tls(c, result);
    c->octets_out += put;
    c->record_sent += put;
    return MOVED_SOME;
}

moved connection_send(connection *c)
{
    for (int i = 0; connection_has_output(c); i++) {
        if (i == MOST_SENDS)
            return MOVED_NONE;
        moved m = c->ssl != NULL ? send_tls(c) : send_plain(c);
        if (m != MOVED_SOME)
            return m;
    }
    return MOVED_SOME;
}

moved connection_receive(connection *c)
{
    size_t room = sizeof c->in - c->in_len;
    size_t got = 0;
    if (room == 0)
        return MOVED_END; /* a line longer than any command */
    if (c->ssl != NULL) {
        int result = SSL_read_ex(c->ssl, c->in + c->in_len, room, &got);
        if (result != 1)
            return from_tls(c, result);
    } else {
        ssize_t n = recv(c->fd, c->in + c->in_len, room, 0);
        if (n < 0)
            return errno == EAGAIN ? MOVED_NONE : MOVED_END;
        got = (size_t)n;
    }
    c->in_len += got;
    c->octets_in += got;
    return got > 0 ? MOVED_SOME : MOVED_END;
}

void connection_begin_tls(connection *c, SSL_CTX *ctx)
{
    c->wants_tls = false;
    c->ssl = SSL_new(ctx);
    if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1)
        die_plain("out of memory for TLS");
    SSL_set_accept_state(c->ssl);
    SSL_set_mode(c->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    c->handshaking = true;
    c->in_len = 0; /* what came in the clear does not count (RFC 2595 §4) */
}

moved connection_handshake(connection *c)
{
    int result = SSL_do_handshake(c->ssl);
    if (result != 1)
        return from_tls(c, result);
    c->handshaking = false;
    return MOVED_SOME;
}

void connection_free(connection *c)
{
    if (c->ssl != NULL && !c->handshaking)
        SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
    close(c->fd);
    for (size_t i = c->out_first; i < c->out_last; i++)
        free(c->out[i].own);
    free(c->out);
    free(c->deleted);
    free(c);
}
