/* The non-blocking step: resolve, connect, TLS, greeting, transfer, deadlines. */
#include "client/client_state.h"

#include "core/text.h"
#include "io/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The receive buffer starts small, for the many connections that have little to say, and becomes
 * large when a read fills it. A still larger one is slower: it drives the octets out of the
 * processor's nearer cache before they are looked at. */
#define P3_BUFFER_FIRST ((size_t)16 * 1024)
#define P3_BUFFER_MOST  ((size_t)128 * 1024)

/* Reads within one step, so that one fast connection does not starve the others of an event loop.
 */
#define P3_ROUNDS 16

static pop3_status begin_dialing(pop3_client *c)
{
    if (c->options.local_address != NULL && !p3_dial_bind(&c->dial, c->options.local_address))
        return p3_fail(c, POP3_ERR_ARGUMENT, 0, "connecting", "the local address is not numeric");
    c->phase = P3_PHASE_DIALING;
    return POP3_OK;
}

static pop3_status begin_connection(pop3_client *c)
{
    if (c->options.unix_socket != NULL) {
        c->phase = P3_PHASE_DIALING;
        p3_dial_begin_unix(&c->dial, c->options.unix_socket); /* its length was checked before */
        return POP3_OK;
    }
    c->phase = P3_PHASE_RESOLVING;
    pop3_status status = p3_resolve_start(&c->resolve, c->options.host, c->options.port);
    if (status == POP3_OK)
        return POP3_OK;
    int error = status == POP3_ERR_IO ? errno : 0;
    return p3_fail(c, status, error, NULL,
                   error != 0 ? strerror(error) : pop3_status_message(status));
}

static pop3_status make_engine(pop3_client *c)
{
    pop3_engine_options o = POP3_ENGINE_OPTIONS_INIT;
    o.limits = c->options.limits;
    o.pipelining = c->options.pipelining;
    o.max_in_flight = c->options.max_in_flight;
    o.masked = c->options.masked;
    o.trust_message_ends = c->options.trust_message_ends;
    o.trace = c->options.trace;
    o.trace_ctx = c->options.trace_ctx;
    o.trace_level = c->options.trace_level;
    pop3_engine *engine;
    pop3_status status = pop3_engine_new(&engine, &o);
    if (status != POP3_OK)
        return status;
    pop3_engine_free(c->engine);
    c->engine = engine;
    return POP3_OK;
}

pop3_status pop3_client_start(pop3_client *c)
{
    if (c->phase != P3_PHASE_NONE || c->inside)
        return POP3_ERR_STATE;
    if (c->buffer == NULL) {
        c->buffer = malloc(P3_BUFFER_FIRST);
        c->buffer_len = P3_BUFFER_FIRST;
    }
    pop3_status status = c->buffer == NULL ? POP3_ERR_MEMORY : make_engine(c);
    if (status != POP3_OK)
        return p3_note_error(c, status, 0, "connecting", pop3_status_message(status), NULL);
    p3_wake_clear(&c->wake);
    c->ended = POP3_OK;
    c->failure.value.status = POP3_OK;
    c->failure.value.sys_errno = 0;
    c->failure.message[0] = c->failure.server_text[0] = '\0';
    c->reply = (pop3_reply){0};
    c->deadline = p3_deadline(p3_now_ms(), c->options.connect_timeout_ms);
    return begin_connection(c);
}

void p3_ready(pop3_client *c)
{
    c->phase = P3_PHASE_READY;
    c->deadline = P3_NEVER;
}

pop3_status p3_begin_tls(pop3_client *c)
{
    pop3_status status = POP3_OK;
    if (c->options.tls == NULL)
        status = pop3_tls_new(&c->options.tls, NULL, NULL, 0);
    const char *host = c->options.host != NULL ? c->options.host : "localhost";
    if (status == POP3_OK)
        status = p3_tls_session_new(&c->stream.tls, c->options.tls, c->stream.fd, host);
    c->phase = P3_PHASE_HANDSHAKE;
    if (status != POP3_OK)
        return p3_fail(c, status, 0, NULL, pop3_status_message(status));
    return POP3_OK;
}

/* The parts of a step: each returns whether it got on, so that another round is worth while. */

static bool step_resolving(pop3_client *c)
{
    const struct addrinfo *list;
    const char *why;
    pop3_status status = p3_resolve_result(c->resolve, &list, &why);
    if (status == POP3_PENDING)
        return false;
    if (status != POP3_OK) {
        p3_fail(c, status, 0, NULL, why);
        return false;
    }
    p3_dial_begin(&c->dial, list);
    p3_resolve_free(c->resolve);
    c->resolve = NULL;
    return begin_dialing(c) == POP3_OK;
}

static bool step_dialing(pop3_client *c, int64_t now)
{
    const p3_address *peer;
    pop3_status status = p3_dial_step(&c->dial, now, &c->stream.fd, &peer);
    if (status == POP3_PENDING)
        return false;
    if (status != POP3_OK) {
        p3_fail(c, status, c->dial.error, NULL, strerror(c->dial.error));
        return false;
    }
    char note[160] = "connected to ";
    size_t len = strlen(note);
    p3_address_text(peer, note + len, sizeof note - len);
    p3_trace_note(c, note);
    if (c->options.security == POP3_SECURITY_TLS)
        return p3_begin_tls(c) == POP3_OK;
    c->phase = P3_PHASE_GREETING;
    return true;
}

/* Ends the connection with what the TLS session says. */
static void fail_tls(pop3_client *c)
{
    const char *why;
    int error;
    char kept[512];
    pop3_status status = p3_tls_session_error(c->stream.tls, &why, &error);
    snprintf(kept, sizeof kept, "%s", why); /* the session goes with the connection */
    p3_fail(c, status, error, NULL, kept);
}

static bool step_handshake(pop3_client *c)
{
    p3_tls_io io = p3_tls_session_handshake(c->stream.tls);
    c->want_write = io == P3_TLS_IO_WANT_WRITE;
    if (io == P3_TLS_IO_WANT_READ || io == P3_TLS_IO_WANT_WRITE)
        return false;
    if (io != P3_TLS_IO_OK) {
        fail_tls(c);
        return false;
    }
    char note[100];
    snprintf(note, sizeof note, "%s with %s", p3_tls_session_version(c->stream.tls),
             p3_tls_session_cipher(c->stream.tls));
    p3_trace_note(c, note);
    if (pop3_engine_state(c->engine) == POP3_STATE_GREETING) {
        pop3_engine_tls_started(c->engine);
        c->phase = P3_PHASE_GREETING;
    } else {
        p3_upgrade_encrypted(c);
    }
    return true;
}

static void fail_io(pop3_client *c, p3_io io)
{
    int error = errno;
    if (c->stream.tls != NULL)
        fail_tls(c);
    else if (io == P3_IO_CLOSED)
        p3_fail(c, POP3_ERR_CLOSED, 0, NULL, pop3_status_message(POP3_ERR_CLOSED));
    else
        p3_fail(c, POP3_ERR_IO, error, NULL, strerror(error));
}

/* Sends what the engine has to send. Returns P3_IO_OK when all of it went. */
static p3_io send_output(pop3_client *c, bool *wrote)
{
    size_t len;
    const char *data;
    while (data = pop3_engine_output(c->engine, &len), len > 0) {
        size_t put;
        p3_io io = p3_stream_write(&c->stream, data, len, &put);
        if (io != P3_IO_OK)
            return io;
        pop3_engine_sent(c->engine, put);
        *wrote = true;
    }
    return P3_IO_OK;
}

static void grow_buffer(pop3_client *c)
{
    if (c->buffer_len >= P3_BUFFER_MOST)
        return;
    char *larger = malloc(P3_BUFFER_MOST);
    if (larger == NULL)
        return; /* the one there is will do */
    free(c->buffer);
    c->buffer = larger;
    c->buffer_len = P3_BUFFER_MOST;
}

/* Reads once and hands what came to the engine and on to the handlers. */
static p3_io receive(pop3_client *c)
{
    size_t got;
    p3_io io = p3_stream_read(&c->stream, c->buffer, c->buffer_len, &got, &c->read_again);
    if (io != P3_IO_OK)
        return io;
    bool full = c->read_again;
    pop3_engine_feed(c->engine, c->buffer, got);
    p3_dispatch(c);
    p3_requests_advance(c);
    if (full)
        grow_buffer(c);
    return P3_IO_OK;
}

/* Milliseconds without progress are counted while an answer is awaited or octets wait to be sent.
 */
static void touch_deadline(pop3_client *c, int64_t now)
{
    bool connecting = c->phase != P3_PHASE_READY;
    if (connecting && c->upgrading == NULL)
        return; /* the connection's own deadline stands */
    bool busy = c->want_write || pop3_engine_wants_input(c->engine) || connecting;
    c->deadline = busy ? p3_deadline(now, c->options.timeout_ms) : P3_NEVER;
}

/* Writes and reads once each. A write that breaks an idle silence is not followed by a read: the
 * answer cannot be there yet. */
static bool step_transfer(pop3_client *c, int64_t now)
{
    bool awaited = pop3_engine_wants_input(c->engine) || c->read_again;
    bool wrote = false;
    p3_io out = send_output(c, &wrote);
    c->want_write = out == P3_IO_AGAIN;
    if (out == P3_IO_FAILED) {
        fail_io(c, out);
        return false;
    }
    if (wrote && !awaited && out == P3_IO_OK) {
        touch_deadline(c, now);
        return false;
    }
    p3_io in = receive(c);
    if (c->phase == P3_PHASE_NONE)
        return false;
    if (in == P3_IO_AGAIN && out == P3_IO_CLOSED)
        in = P3_IO_CLOSED; /* nothing was said as farewell */
    if (in == P3_IO_CLOSED || in == P3_IO_FAILED) {
        fail_io(c, in);
        return false;
    }
    if (pop3_engine_state(c->engine) == POP3_STATE_UPDATE) {
        p3_disconnect(c, POP3_OK, true);
        return false;
    }
    if (wrote || in == P3_IO_OK || c->deadline == P3_NEVER)
        touch_deadline(c, now);
    /* Another round: more may be there already, or the replies have made room for more commands. */
    size_t len = 0;
    if (in == P3_IO_OK && !c->want_write)
        pop3_engine_output(c->engine, &len);
    return c->read_again || len > 0 || c->phase == P3_PHASE_HANDSHAKE;
}

static bool step_phase(pop3_client *c, int64_t now)
{
    switch (c->phase) {
    case P3_PHASE_RESOLVING:
        return step_resolving(c);
    case P3_PHASE_DIALING:
        return step_dialing(c, now);
    case P3_PHASE_HANDSHAKE:
        return step_handshake(c);
    case P3_PHASE_GREETING:
    case P3_PHASE_UPGRADE:
    case P3_PHASE_READY:
        return step_transfer(c, now);
    default:
        return false;
    }
}

pop3_status pop3_client_step(pop3_client *c)
{
    if (c->inside)
        return POP3_ERR_STATE;
    if (c->phase == P3_PHASE_NONE)
        return c->ended;
    if (p3_wake_is_raised(&c->wake))
        return p3_fail(c, POP3_ERR_CANCELLED, 0, NULL, pop3_status_message(POP3_ERR_CANCELLED));
    int64_t now = p3_now_ms();
    c->more = true;
    for (int round = 0; c->more && round < P3_ROUNDS; round++)
        c->more = step_phase(c, now) && !p3_wake_is_raised(&c->wake);
    if (c->phase == P3_PHASE_NONE)
        return c->ended;
    if (now >= c->deadline) {
        char why[80];
        bool connecting = c->phase != P3_PHASE_READY && c->upgrading == NULL;
        int limit = connecting ? c->options.connect_timeout_ms : c->options.timeout_ms;
        snprintf(why, sizeof why, "the server did not answer within %d ms", limit);
        return p3_fail(c, POP3_ERR_TIMEOUT, 0, NULL, why);
    }
    return c->phase == P3_PHASE_READY && c->under_way == 0 ? POP3_OK : POP3_PENDING;
}

size_t pop3_client_waits(const pop3_client *c, pop3_waitable *out, size_t cap)
{
    p3_wait_set set = {.count = 0};
    switch (c->phase) {
    case P3_PHASE_NONE:
        return 0;
    case P3_PHASE_RESOLVING:
        p3_wait_add(&set, p3_resolve_fd(c->resolve), true, false);
        break;
    case P3_PHASE_DIALING:
        p3_dial_waits(&c->dial, &set);
        break;
    default:
        p3_wait_add(&set, c->stream.fd, true, c->want_write || c->stream.read_wants_write);
    }
    p3_wait_add(&set, c->wake.ends[0], true, false);
    for (size_t i = 0; i < set.count && i < cap; i++)
        out[i] =
            (pop3_waitable){.fd = set.at[i].fd, .read = set.at[i].read, .write = set.at[i].write};
    return set.count;
}

int pop3_client_deadline(const pop3_client *c)
{
    int64_t deadline = c->deadline;
    if (c->phase == P3_PHASE_NONE)
        return -1;
    if (c->more)
        return 0;
    if (c->phase == P3_PHASE_RESOLVING && p3_resolve_fd(c->resolve) < 0)
        return 0;
    if (c->phase == P3_PHASE_DIALING) {
        p3_wait_set unused = {.count = 0};
        int64_t next = p3_dial_waits(&c->dial, &unused);
        if (next < deadline)
            deadline = next;
    }
    return p3_until(deadline, p3_now_ms());
}
