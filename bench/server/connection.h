/* A connection to the benchmark's server: octets in, a queue of spans out, in the clear or under
 * TLS. It counts what it takes. */
#ifndef BENCH_CONNECTION_H
#define BENCH_CONNECTION_H

#include "server/mailbox.h"

#include <openssl/ssl.h>

/* A piece of the output; `own` is freed when it has been sent. */
typedef struct piece {
    span text;
    char *own;
} piece;

typedef struct connection {
    int fd;
    SSL *ssl;         /* NULL in the clear */
    bool handshaking; /* TLS has begun and is not set up */
    bool wants_tls;   /* STLS was answered: TLS begins when the answer has gone */
    bool closing;     /* QUIT was answered: close when the answer has gone */
    bool writable_awaited;
    bool by_pieces; /* each piece is a write of its own (in the clear) */

    char in[65536];
    size_t in_len;
    piece *out; /* out_first up to out_last wait to be sent */
    size_t out_first, out_last, out_cap;
    char record[16384]; /* small pieces gathered for one TLS record */
    size_t record_len, record_sent;

    account *who; /* NULL before login */
    char user[256];
    bool *deleted; /* by number - 1, or NULL */
    size_t deletions;

    uint64_t commands;
    uint64_t round_trips;     /* times the client spoke when all it had asked was answered */
    uint64_t handshake_waits; /* times the TLS handshake had to wait for the client */
    uint64_t octets_in, octets_out;
} connection;

typedef enum moved {
    MOVED_SOME,
    MOVED_NONE, /* not without waiting */
    MOVED_END   /* the connection is over */
} moved;

/* Adds a piece to the output. `own` is taken, NULL when nothing is to be freed. */
void connection_put(connection *c, span text, char *own);

/* Adds a constant. */
void connection_say(connection *c, const char *text);

/* Whether something waits to be sent. */
bool connection_has_output(const connection *c);

/* Sends what the socket takes. */
moved connection_send(connection *c);

/* Receives what there is room for, behind what is there. */
moved connection_receive(connection *c);

/* Begins TLS. */
void connection_begin_tls(connection *c, SSL_CTX *ctx);

/* The next step of the handshake. */
moved connection_handshake(connection *c);

/* Closes and frees. */
void connection_free(connection *c);

#endif
