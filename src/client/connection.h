/* The connection to the server and the octets on it: resolving, dialing, the proxy, TLS, the
 * socket. Each step returns what happened; the caller decides what that means. */
#ifndef P3_CLIENT_CONNECTION_H
#define P3_CLIENT_CONNECTION_H

#include <pop3/client.h>

#include "client/failure.h"
#include "io/dial.h"
#include "io/proxy.h"
#include "io/resolve.h"
#include "io/stream.h"

typedef struct p3_connection {
    p3_resolve *resolve; /* while the host name is resolved */
    p3_dial dial;        /* while connecting */
    p3_proxy *proxy;     /* while the proxy connects */
    p3_stream stream;
    p3_retired retired; /* descriptors to close at the end of the step */
    bool want_write;    /* octets wait until the socket accepts them */
    bool read_again;    /* the last read filled the buffer: read again without waiting */
    bool drained;       /* in this step, the last read took everything that had arrived */
    uint64_t received;  /* octets since the connection began */
    char *buffer;       /* received octets */
    size_t buffer_len;
} p3_connection;

/* The result of a step. */
typedef enum p3_connection_progress {
    P3_CONNECTION_WAIT,     /* it waits for a socket or a time */
    P3_CONNECTION_RESOLVED, /* there are addresses to dial */
    P3_CONNECTION_DIALED,   /* connected to the server or the proxy */
    P3_CONNECTION_PROXIED,  /* connected to the server through the proxy */
    P3_CONNECTION_SECURED,  /* the TLS handshake has succeeded */
    P3_CONNECTION_RESUMED,  /* it failed, perhaps because an earlier session was offered: try again
                             */
    P3_CONNECTION_FAILED    /* see the fault */
} p3_connection_progress;

/* Initializes without a connection. */
void p3_connection_init(p3_connection *n);

/* Allocates the receive buffer. False when out of memory. */
bool p3_connection_prepare(p3_connection *n);

/* Begins to resolve the name of the server or proxy, or to dial a Unix-domain socket.
 * P3_CONNECTION_WAIT, P3_CONNECTION_RESOLVED or P3_CONNECTION_FAILED. */
p3_connection_progress p3_connection_begin(p3_connection *n, const pop3_client_options *o,
                                           p3_fault *fault);

/* The steps of each phase. */
p3_connection_progress p3_connection_resolve(p3_connection *n, const pop3_client_options *o,
                                             p3_fault *fault);
p3_connection_progress p3_connection_dial(p3_connection *n, const pop3_client_options *o,
                                          int64_t now, p3_fault *fault);
p3_connection_progress p3_connection_ask_proxy(p3_connection *n, const pop3_client_options *o,
                                               p3_fault *fault);
p3_connection_progress p3_connection_shake_hands(p3_connection *n, const pop3_client_options *o,
                                                 p3_fault *fault);

/* Begins the proxy's exchange, or TLS, on the socket. POP3_OK or the failure. */
pop3_status p3_connection_begin_proxy(p3_connection *n, const pop3_client_options *o);
pop3_status p3_connection_begin_tls(p3_connection *n, const pop3_client_options *o);

/* Sends the engine's output; *wrote is set if some of it was sent. P3_IO_OK when all was. */
p3_io p3_connection_send(p3_connection *n, pop3_engine *engine, bool *wrote);

/* Reads once and feeds the engine; *got is the number of octets. */
p3_io p3_connection_receive(p3_connection *n, pop3_engine *engine, size_t *got);

/* The received octets have been used: enlarges the buffer if they filled it. */
void p3_connection_used_up(p3_connection *n, size_t got);

/* Describes why the last read or write failed; `io` is what it returned. */
void p3_connection_explain(const p3_connection *n, p3_io io, p3_fault *fault);

/* Acknowledges the received octets, because a server that writes a reply in pieces may hold the
 * next piece back until then (RFC 1122 section 4.2.3.4). `silent`: a read found nothing. */
void p3_connection_acknowledge(const p3_connection *n, bool silent);

/* A step begins: nothing has been read in it. */
void p3_connection_step_begins(p3_connection *n);

/* Adds the sockets to wait on; returns the time at which to step in any case. */
int64_t p3_connection_waits(const p3_connection *n, p3_wait_set *set);

/* The step has ended, and the event loop has been informed: closes retired descriptors. */
void p3_connection_step_ends(p3_connection *n);

/* Closes the connection, with close_notify if `farewell` is set; the descriptors are closed at the
 * end of the step. */
void p3_connection_close(p3_connection *n, bool farewell);

/* Also frees the buffer. */
void p3_connection_free(p3_connection *n);

#endif
