/* One client's connection: lines in, octets out, and the misbehaviour that tests ask for.
 * Opening and closing, TLS included, is in conn_state.c. */
#define _POSIX_C_SOURCE 200809L
#include "conn.h"
#include "conn_wait.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* ---- out ---- */

/* The client has gone; that is never an error of the server's. */
static enum io lost(struct conn *c)
{
    c->gone = true;
    c->out_len = 0;
    return IO_EOF;
}

static enum io write_plain(struct conn *c, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);
        if (n >= 0) {
            data += n;
            len -= (size_t)n;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (conn_poll(c, POLLOUT, -1) != IO_OK) {
                return IO_STOPPED;
            }
        } else if (errno != EINTR) {
            return lost(c);
        }
    }
    return IO_OK;
}

/* Waits for what a call of TLS wants. */
static enum io wait_for_tls(struct conn *c, enum tls_io wants)
{
    return conn_poll(c, wants == TLS_WANT_READ ? POLLIN : POLLOUT, -1);
}

static enum io write_tls(struct conn *c, const char *data, size_t len)
{
    while (len > 0) {
        size_t n = 0;
        enum tls_io io = tls_write(c->tls, data, len, &n);
        if (io == TLS_DONE) {
            data += n;
            len -= n;
        } else if (io == TLS_WANT_READ || io == TLS_WANT_WRITE) {
            if (wait_for_tls(c, io) != IO_OK) {
                return IO_STOPPED;
            }
        } else {
            c->tls_broken = true;
            return lost(c);
        }
    }
    return IO_OK;
}

/* How many of the octets that wait go into the next piece; 0: too few yet, more are coming. */
static size_t piece_size(const struct conn *c, size_t waiting, bool final)
{
    size_t size = waiting;
    if (c->split > 0) {
        if (size > c->split) {
            size = c->split;
        } else if (size < c->split && !final) {
            return 0;
        }
    }
    for (size_t i = 0; i < c->n_cuts; i++) {
        uint64_t at = c->cut_base + c->cuts[i];
        if (at > c->sent) {
            size = at - c->sent < size ? (size_t)(at - c->sent) : size;
            break;
        }
    }
    return c->limit - c->sent < size ? (size_t)(c->limit - c->sent) : size;
}

static enum io write_pieces(struct conn *c, bool final)
{
    size_t done = 0;
    enum io result = c->gone ? lost(c) : IO_OK;
    while (result == IO_OK && done < c->out_len && c->sent < c->limit) {
        size_t size = piece_size(c, c->out_len - done, final);
        if (size == 0) {
            break;
        }
        if (c->piece_sent && c->piece_delay > 0) {
            result = conn_pause(c, c->piece_delay);
            if (result != IO_OK) {
                break;
            }
        }
        result = c->tls != NULL ? write_tls(c, c->out + done, size)
                                : write_plain(c, c->out + done, size);
        if (result == IO_OK) {
            c->piece_sent = true;
            c->sent += size;
            done += size;
        }
    }
    if (result == IO_OK && c->sent >= c->limit && c->out_len > 0) {
        c->out_len = 0;
        c->gone = true;
        conn_close(c, c->limit_resets ? CLOSE_RESET : CLOSE_TCP);
        return IO_EOF;
    }
    if (result == IO_OK) {
        memmove(c->out, c->out + done, c->out_len - done);
        c->out_len -= done;
    }
    return result;
}

enum io conn_flush(struct conn *c)
{
    return write_pieces(c, true);
}

enum io conn_put(struct conn *c, const char *data, size_t len)
{
    if (c->gone) {
        return IO_EOF;
    }
    while (len > 0) {
        if (c->out_len == sizeof c->out) {
            enum io result = write_pieces(c, false);
            if (result != IO_OK) {
                return result;
            }
        }
        size_t room = sizeof c->out - c->out_len;
        size_t n = len < room ? len : room;
        memcpy(c->out + c->out_len, data, n);
        c->out_len += n;
        data += n;
        len -= n;
    }
    return IO_OK;
}

void conn_mark(struct conn *c, const uint64_t *cuts, size_t n_cuts)
{
    c->piece_sent = false;
    c->cuts = cuts;
    c->n_cuts = n_cuts;
    c->cut_base = c->sent + c->out_len;
}

enum io conn_delay(struct conn *c, unsigned ms)
{
    if (conn_flush(c) == IO_STOPPED) {
        return IO_STOPPED;
    }
    return conn_pause(c, ms);
}

/* ---- in ---- */

static enum io ended(struct conn *c, const char *how)
{
    c->eof = true;
    log_event(c->log, c->number, "eof%s", how);
    return IO_EOF;
}

/* One read that does not wait: IO_OK with octets, IO_EOF, or IO_TIMEOUT with what to wait for. */
static enum io read_plain(struct conn *c, char *to, size_t size, size_t *got, short *events)
{
    ssize_t n;
    do {
        n = recv(c->fd, to, size, 0);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        *got = (size_t)n;
        return IO_OK;
    }
    if (n == 0) {
        return ended(c, "");
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
        *events = POLLIN;
        return IO_TIMEOUT;
    }
    return ended(c, " reset");
}

/* The same through TLS. All records that have come are taken together, as one read of a socket
 * without TLS takes all that has come: tests count the reads. */
static enum io read_tls(struct conn *c, char *to, size_t size, size_t *got, short *events)
{
    size_t total = 0;
    enum tls_io io = TLS_DONE;
    while (io == TLS_DONE && total < size) {
        size_t n = 0;
        io = tls_read(c->tls, to + total, size - total, &n);
        total += io == TLS_DONE ? n : 0;
    }
    *got = total;
    if (total > 0) {
        return IO_OK; /* what stopped the loop comes back at the next read */
    }
    switch (io) {
    case TLS_WANT_READ:
        *events = POLLIN;
        return IO_TIMEOUT;
    case TLS_WANT_WRITE:
        *events = POLLOUT;
        return IO_TIMEOUT;
    case TLS_CLOSED:
        return ended(c, " close-notify");
    default:
        c->tls_broken = true;
        return ended(c, "");
    }
}

/* IO_OK when at least one octet was added to in[]. */
static enum io read_more(struct conn *c, short *events)
{
    if (c->eof) {
        return IO_EOF;
    }
    if (c->in_start == c->in_end) {
        c->in_start = c->in_scanned = c->in_end = 0;
    } else if (c->in_end == sizeof c->in) {
        if (c->in_start == 0) {
            return IO_TOO_LONG;
        }
        memmove(c->in, c->in + c->in_start, c->in_end - c->in_start);
        c->in_scanned -= c->in_start;
        c->in_end -= c->in_start;
        c->in_start = 0;
    }
    char *to = c->in + c->in_end;
    size_t room = sizeof c->in - c->in_end;
    size_t got = 0;
    enum io result = c->tls != NULL ? read_tls(c, to, room, &got, events)
                                    : read_plain(c, to, room, &got, events);
    if (result == IO_OK) {
        c->in_end += got;
        if (c->log_reads) {
            log_event(c->log, c->number, "read %zu", got);
        }
    }
    return result;
}

/* Adds at least one octet to in[], waiting for it until the deadline. */
static enum io fill(struct conn *c, int64_t deadline)
{
    if (conn_flush(c) == IO_STOPPED) {
        return IO_STOPPED;
    }
    for (;;) {
        short events = 0;
        enum io result = read_more(c, &events);
        if (result != IO_TIMEOUT) {
            return result;
        }
        result = conn_poll(c, events, deadline);
        if (result != IO_OK) {
            return result;
        }
    }
}

enum io conn_line(struct conn *c, char **line, size_t *len)
{
    for (;;) {
        char *from = c->in + c->in_scanned;
        char *lf = memchr(from, '\n', c->in_end - c->in_scanned);
        if (lf != NULL) {
            *line = c->in + c->in_start;
            *len = (size_t)(lf - *line);
            c->in_start = c->in_scanned = (size_t)(lf + 1 - c->in);
            return IO_OK;
        }
        c->in_scanned = c->in_end;
        enum io result = fill(c, -1);
        if (result != IO_OK) {
            return result;
        }
    }
}

enum io conn_await(struct conn *c, int timeout_ms)
{
    if (c->in_start < c->in_end) {
        return IO_OK;
    }
    return fill(c, timeout_ms < 0 ? -1 : conn_now() + timeout_ms);
}

const char *conn_pending(const struct conn *c, size_t *len)
{
    *len = c->in_end - c->in_start;
    return c->in + c->in_start;
}

void conn_discard(struct conn *c)
{
    size_t total = 0;
    short events = 0;
    enum io result;
    do {
        total += c->in_end - c->in_start;
        c->in_start = c->in_scanned = c->in_end = 0;
        result = read_more(c, &events);
    } while (result == IO_OK);
    if (total > 0) {
        log_event(c->log, c->number, "discarded %zu", total);
    }
}
