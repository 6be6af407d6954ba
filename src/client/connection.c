/* The connection to the server and the octets on it. */
#include "client/connection.h"

#include "client/options.h"
#include "client/trace.h"
#include "io/clock.h"
#include "system/acknowledge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The receive buffer is small at first, for many connections that receive little, and grows when a
 * read fills it. A larger one would be slower, because the octets leave the processor's inner cache
 * before they are used. */
#define P3_BUFFER_FIRST ((size_t)16 * 1024)
#define P3_BUFFER_MOST  ((size_t)64 * 1024)

void p3_connection_init(p3_connection *n)
{
    *n = (p3_connection){.stream = {.fd = -1}};
}

bool p3_connection_prepare(p3_connection *n)
{
    n->received = 0;
    if (n->buffer == NULL) {
        n->buffer = malloc(P3_BUFFER_FIRST);
        n->buffer_len = P3_BUFFER_FIRST;
    }
    return n->buffer != NULL;
}

/* ---- the way ---- */

/* Sets how addresses are dialed. */
static void set_dial(p3_connection *n, const pop3_client_options *o)
{
    n->dial.retired = &n->retired;
    n->dial.connect = o->connect;
    n->dial.connect_ctx = o->connect_ctx;
}

static p3_connection_progress set_fault(p3_fault *fault, pop3_status status, int sys_errno,
                                        const char *why)
{
    fault->status = status;
    fault->sys_errno = sys_errno;
    fault->why = why;
    return P3_CONNECTION_FAILED;
}

p3_connection_progress p3_connection_begin(p3_connection *n, const pop3_client_options *o,
                                           p3_fault *fault)
{
    if (o->unix_socket != NULL) {
        p3_dial_begin_unix(&n->dial, o->unix_socket); /* its length has been checked */
        set_dial(n, o);
        return P3_CONNECTION_RESOLVED;
    }
    bool proxy = o->proxy != POP3_PROXY_NONE;
    const char *host = proxy ? o->proxy_host : o->host;
    uint16_t port = proxy ? o->proxy_port : o->port;
    const p3_resolver by = {o->resolve, o->resolve_ctx};
    pop3_status status = p3_resolve_start(&n->resolve, host, port, &by);
    int error = status == POP3_ERR_IO ? errno : 0;
    if (status == POP3_OK)
        return P3_CONNECTION_WAIT;
    return set_fault(fault, status, error, error != 0 ? strerror(error) : NULL);
}

p3_connection_progress p3_connection_resolve(p3_connection *n, const pop3_client_options *o,
                                             p3_fault *fault)
{
    const struct addrinfo *list;
    const char *why;
    pop3_status status = p3_resolve_result(n->resolve, &list, &why);
    if (status == POP3_PENDING)
        return P3_CONNECTION_WAIT;
    fault->temporary = p3_resolve_is_temporary(n->resolve);
    if (status != POP3_OK)
        return set_fault(fault, status, 0, why);
    p3_dial_begin(&n->dial, list);
    set_dial(n, o);
    if (o->local_address != NULL)
        (void)p3_dial_bind(&n->dial, o->local_address); /* it has been checked to be numeric */
    p3_resolve_free(n->resolve, &n->retired);
    n->resolve = NULL;
    return P3_CONNECTION_RESOLVED;
}

p3_connection_progress p3_connection_dial(p3_connection *n, const pop3_client_options *o,
                                          int64_t now, p3_fault *fault)
{
    const p3_socket_address *peer;
    pop3_status status = p3_dial_step(&n->dial, now, &n->stream.fd, &peer);
    if (status == POP3_PENDING)
        return P3_CONNECTION_WAIT;
    if (status != POP3_OK)
        return set_fault(fault, status, n->dial.error, strerror(n->dial.error));
    char note[160] = "connected to ";
    size_t len = strlen(note);
    p3_socket_address_text(peer, note + len, sizeof note - len);
    p3_trace_note(&o->engine, note);
    return P3_CONNECTION_DIALED;
}

pop3_status p3_connection_begin_proxy(p3_connection *n, const pop3_client_options *o)
{
    pop3_status (*begin)(p3_proxy *) = p3_proxy_http;
    if (o->proxy != POP3_PROXY_HTTP)
        begin = o->proxy == POP3_PROXY_SOCKS5 ? p3_proxy_socks5 : p3_proxy_socks4;
    n->proxy = p3_proxy_new(begin, o->host, o->port, o->proxy_user, o->proxy_password);
    return n->proxy != NULL ? POP3_OK : POP3_ERR_MEMORY;
}

p3_connection_progress p3_connection_ask_proxy(p3_connection *n, const pop3_client_options *o,
                                               p3_fault *fault)
{
    pop3_status status = p3_proxy_step(n->proxy, n->stream.fd);
    if (status == POP3_PENDING)
        return P3_CONNECTION_WAIT;
    if (status != POP3_OK)
        return set_fault(fault, status, n->proxy->sys_errno,
                         n->proxy->why[0] != '\0' ? n->proxy->why : NULL);
    p3_proxy_free(n->proxy);
    n->proxy = NULL;
    p3_trace_note(&o->engine, "connected through the proxy");
    return P3_CONNECTION_PROXIED;
}

pop3_status p3_connection_begin_tls(p3_connection *n, const pop3_client_options *o)
{
    return p3_tls_session_new(&n->stream.tls, o->tls, n->stream.fd, p3_options_host(o));
}

/* Copies the TLS session's description of its failure. */
static void explain_tls(const p3_tls_session *tls, p3_fault *fault)
{
    fault->status = p3_tls_session_error(tls, &fault->why, &fault->sys_errno);
    if (fault->status == POP3_ERR_CERTIFICATE)
        fault->certificate = p3_tls_session_fault(tls);
    if (fault->status == POP3_ERR_TLS)
        fault->tls = p3_tls_session_why(tls);
}

p3_connection_progress p3_connection_shake_hands(p3_connection *n, const pop3_client_options *o,
                                                 p3_fault *fault)
{
    p3_tls_session *tls = n->stream.tls;
    p3_tls_io io = p3_tls_session_handshake(tls);
    n->want_write = io == P3_TLS_IO_WANT_WRITE;
    if (io == P3_TLS_IO_WANT_READ || io == P3_TLS_IO_WANT_WRITE)
        return P3_CONNECTION_WAIT;
    if (io != P3_TLS_IO_OK) {
        explain_tls(tls, fault);
        return p3_tls_session_blames_resumption(tls) ? P3_CONNECTION_RESUMED : P3_CONNECTION_FAILED;
    }
    char note[100];
    snprintf(note, sizeof note, "%s with %s%s", p3_tls_session_version(tls),
             p3_tls_session_cipher(tls), p3_tls_session_resumed(tls) ? ", resumed" : "");
    p3_trace_note(&o->engine, note);
    return P3_CONNECTION_SECURED;
}

/* ---- the octets ---- */

p3_io p3_connection_send(p3_connection *n, pop3_engine *engine, bool *wrote)
{
    size_t len;
    const char *data;
    p3_io io = P3_IO_OK;
    while (io == P3_IO_OK && (data = pop3_engine_output(engine, &len), len > 0)) {
        size_t put;
        io = p3_stream_write(&n->stream, data, len, &put);
        if (io == P3_IO_OK) {
            pop3_engine_sent(engine, put);
            *wrote = true;
        }
    }
    n->want_write = io == P3_IO_AGAIN;
    return io;
}

p3_io p3_connection_receive(p3_connection *n, pop3_engine *engine, size_t *got)
{
    p3_io io = p3_stream_read(&n->stream, n->buffer, n->buffer_len, got, &n->read_again);
    n->drained = !n->read_again;
    if (io != P3_IO_OK)
        return io;
    n->received += *got;
    pop3_engine_feed(engine, n->buffer, *got);
    return P3_IO_OK;
}

void p3_connection_used_up(p3_connection *n, size_t got)
{
    if (got < n->buffer_len || n->buffer_len >= P3_BUFFER_MOST)
        return;
    char *larger = malloc(P3_BUFFER_MOST);
    if (larger == NULL)
        return; /* the present one is sufficient */
    free(n->buffer);
    n->buffer = larger;
    n->buffer_len = P3_BUFFER_MOST;
}

void p3_connection_explain(const p3_connection *n, p3_io io, p3_fault *fault)
{
    int error = errno;
    if (n->stream.tls != NULL)
        explain_tls(n->stream.tls, fault);
    else if (io == P3_IO_CLOSED)
        (void)set_fault(fault, POP3_ERR_CLOSED, error == ECONNRESET || error == EPIPE ? error : 0,
                        NULL);
    else
        (void)set_fault(fault, POP3_ERR_IO, error, strerror(error));
}

void p3_connection_acknowledge(const p3_connection *n, bool silent)
{
    if (n->drained && (!silent || n->stream.tls != NULL))
        p3_acknowledge(n->stream.fd);
}

void p3_connection_step_begins(p3_connection *n)
{
    n->drained = false;
}

void p3_connection_step_ends(p3_connection *n)
{
    p3_retired_close(&n->retired);
}

/* ---- waiting and closing ---- */

int64_t p3_connection_waits(const p3_connection *n, p3_wait_set *set)
{
    if (n->resolve != NULL) {
        int fd = p3_resolve_fd(n->resolve);
        p3_wait_add(set, fd, true, false);
        return fd < 0 ? 0 : P3_NEVER;
    }
    if (n->stream.fd < 0)
        return p3_dial_waits(&n->dial, set);
    bool write = (n->want_write && !n->stream.write_wants_read) || n->stream.read_wants_write;
    if (n->proxy != NULL)
        write = p3_proxy_wants_write(n->proxy);
    p3_wait_add(set, n->stream.fd, true, write);
    return P3_NEVER;
}

void p3_connection_close(p3_connection *n, bool farewell)
{
    p3_resolve_free(n->resolve, &n->retired);
    n->resolve = NULL;
    p3_dial_end(&n->dial);
    p3_proxy_free(n->proxy);
    n->proxy = NULL;
    p3_stream_close(&n->stream, farewell, &n->retired);
    n->want_write = n->read_again = false;
}

void p3_connection_free(p3_connection *n)
{
    p3_connection_close(n, false);
    p3_connection_step_ends(n);
    free(n->buffer);
    n->buffer = NULL;
}
