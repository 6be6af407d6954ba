/* The way to the server and the octets on it: resolving, dialing, the proxy, TLS, the socket. Each
 * step says what happened; what that means is the caller's to know. */
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
    p3_dial dial;        /* while attempts are under way */
    p3_proxy *proxy;     /* while it is asked to connect */
    p3_stream stream;
    p3_retired retired; /* descriptors to be closed at the end of the step */
    bool want_write;    /* octets wait until the socket takes them */
    bool read_again;    /* the last read filled the buffer: the next need not be waited for */
    bool drained;       /* in this step, the last read took all that had come */
    uint64_t received;  /* octets, since the connection began */
    char *buffer;       /* what was received */
    size_t buffer_len;
} p3_connection;

/* What a step on the way came to. */
typedef enum p3_connection_progress {
    P3_CONNECTION_WAIT,     /* it waits for a socket or for time */
    P3_CONNECTION_RESOLVED, /* there are addresses to dial */
    P3_CONNECTION_DIALED,   /* the server or the proxy has been reached */
    P3_CONNECTION_PROXIED,  /* the server has been reached through the proxy */
    P3_CONNECTION_SECURED,  /* the TLS handshake is over */
    P3_CONNECTION_RESUMED,  /* it failed, perhaps for the sake of an earlier session: worth another
                               try */
    P3_CONNECTION_FAILED    /* see the fault */
} p3_connection_progress;

/* There is no connection. */
void p3_connection_init(p3_connection *n);

/* Makes room for what will be received. False when out of memory. */
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

/* Begins with the proxy, or with TLS, on the socket. POP3_OK or why not. */
pop3_status p3_connection_begin_proxy(p3_connection *n, const pop3_client_options *o);
pop3_status p3_connection_begin_tls(p3_connection *n, const pop3_client_options *o);

/* Sends what the engine has to send; *wrote is set when some of it went. P3_IO_OK when all did. */
p3_io p3_connection_send(p3_connection *n, pop3_engine *engine, bool *wrote);

/* Reads once and feeds the engine; *got is how many octets came. */
p3_io p3_connection_receive(p3_connection *n, pop3_engine *engine, size_t *got);

/* What has come has been used up: grows the buffer if that filled it. */
void p3_connection_used_up(p3_connection *n, size_t got);

/* Why the last reading or writing failed; `io` is what it returned. */
void p3_connection_explain(const p3_connection *n, p3_io io, p3_fault *fault);

/* Acknowledges what has come, when a server that writes a reply in pieces may hold the next piece
 * back until then (RFC 1122 section 4.2.3.4). `silent`: a read found nothing. */
void p3_connection_acknowledge(const p3_connection *n, bool silent);

/* A step begins: nothing has been read in it yet. */
void p3_connection_step_begins(p3_connection *n);

/* Adds the sockets to wait on; returns the point in time at which to step anyway. */
int64_t p3_connection_waits(const p3_connection *n, p3_wait_set *set);

/* The step is over, and who waits knows: closes the descriptors that are no longer used. */
void p3_connection_step_ends(p3_connection *n);

/* Ends what there is, with TLS's farewell if asked to; the descriptors go with the step. */
void p3_connection_close(p3_connection *n, bool farewell);

/* Frees the buffer, too. */
void p3_connection_free(p3_connection *n);

#endif
