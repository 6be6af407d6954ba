/* One client's connection: lines in, octets out, TLS, and the misbehaviour that tests ask for.
 * Waits only in poll(), where stop_fd ends every wait when the server is told to stop. */
#ifndef TESTSERVER_CONN_H
#define TESTSERVER_CONN_H

#include "log.h"
#include "tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONN_LINE_MAX = 65536,  /* octets in a line from the client, its LF not counted */
    CONN_PIECE_MAX = 65536, /* the largest piece `split` can ask for */
    CONN_LINGER_MS = 2000,  /* how long a close waits for the client's own close */
};

enum io {
    IO_OK,
    IO_EOF,      /* the client has gone, or will send no more */
    IO_STOPPED,  /* the server was told to stop */
    IO_TIMEOUT,  /* only where a timeout was given */
    IO_TOO_LONG, /* a line over CONN_LINE_MAX */
    IO_FAILED,   /* TLS could not be started, or a file not be read */
};

enum close_how {
    CLOSE_ORDERLY, /* close_notify where there is TLS, then FIN */
    CLOSE_TCP,     /* FIN alone */
    CLOSE_RESET,   /* RST */
};

struct conn {
    int fd;          /* -1 once closed */
    int stop_fd;     /* readable when the server is to stop */
    unsigned number; /* 1 for the first connection since the start */
    struct tls *tls; /* NULL without TLS */
    struct log *log; /* NULL: no transcript */
    bool log_reads;  /* note every read that brought octets */
    bool no_close_notify;
    bool eof;        /* nothing more will come from the client */
    bool gone;       /* nothing more can be sent */
    bool tls_broken; /* after a fatal TLS error no close_notify may be sent */
    uint64_t sent;   /* application octets sent so far */
    uint64_t limit;  /* close when that many were sent; UINT64_MAX: never */
    bool limit_resets;

    size_t split;         /* octets in a piece; 0: as they come */
    unsigned piece_delay; /* milliseconds between pieces */
    bool piece_sent;      /* a piece went out since conn_mark() */
    const uint64_t *cuts; /* where else to cut, as offsets from cut_base, ascending */
    size_t n_cuts;
    uint64_t cut_base;

    size_t in_start, in_scanned, in_end; /* in[in_start..in_end) waits to be read */
    size_t out_len;                      /* out[0..out_len) waits to be sent */
    char in[CONN_LINE_MAX + 1];
    char out[CONN_PIECE_MAX];
};

/* Takes over fd (non-blocking). NULL when memory is short. */
struct conn *conn_new(int fd, int stop_fd, unsigned number, struct log *log);

/* Closes (orderly, unless conn_close() was called before) and frees. */
void conn_free(struct conn *c);

/* Sends what waits and closes. Notes "close" or "close reset" in the transcript. A second call does
 * nothing. */
void conn_close(struct conn *c, enum close_how how);

/* The server's side of the handshake. Octets that came before it are thrown away. */
enum io conn_start_tls(struct conn *c, struct tls_context *context);

/* Queues octets; they are sent when the buffer is full, before a wait for the client, or by
 * conn_flush(). IO_EOF when the client has gone. */
enum io conn_put(struct conn *c, const char *data, size_t len);
enum io conn_flush(struct conn *c);

/* From here on a piece is the first one again, for piece_delay, and cuts count from here. */
void conn_mark(struct conn *c, const uint64_t *cuts, size_t n_cuts);

/* Ends what was sent: half close, or the TLS alert alone. */
void conn_shutdown(struct conn *c);
void conn_close_notify(struct conn *c);

/* One line without its LF, valid until the next read; a CR before the LF is still there.
 * At the end of the connection a last line without LF is not reported. */
enum io conn_line(struct conn *c, char **line, size_t *len);

/* Waits for octets to be there; timeout_ms -1 waits for ever. conn_pending() says what is there. */
enum io conn_await(struct conn *c, int timeout_ms);
const char *conn_pending(const struct conn *c, size_t *len);

/* Throws away everything that has come but was not read. */
void conn_discard(struct conn *c);

/* Sends what waits, then waits. */
enum io conn_delay(struct conn *c, unsigned ms);

#endif
