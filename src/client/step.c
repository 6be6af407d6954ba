/* The non-blocking step: connecting, greeting, transfer, deadlines. */
#include "client/client_state.h"

#include "core/text.h"
#include "io/clock.h"
#include "io/socket.h"
#include "io/tls_session.h"
#include "system/acknowledge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The receive buffer starts small, for the many connections that have little to say, and becomes
 * large when a read fills it. A still larger one is slower: it drives the octets out of the
 * processor's nearer cache before they are looked at. */
#define P3_BUFFER_FIRST ((size_t)16 * 1024)
#define P3_BUFFER_MOST  ((size_t)64 * 1024)

/* Reads within one step, so that one fast connection does not starve the others of an event loop.
 */
#define P3_ROUNDS 16

pop3_status p3_make_engine(pop3_client *c)
{
    pop3_engine_options o = c->options.engine;
    /* Without CAPA nothing is announced, and the engine would ask by itself. */
    if (o.pipelining == POP3_PIPELINING_AUTO &&
        p3_has_trait(c, POP3_TRAIT_ONE_AT_A_TIME | POP3_TRAIT_NO_CAPA))
        o.pipelining = POP3_PIPELINING_OFF;
    o.no_late_capa = o.no_late_capa || p3_has_trait(c, POP3_TRAIT_NO_LATE_CAPA);
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
    pop3_status status = c->buffer == NULL ? POP3_ERR_MEMORY : p3_make_engine(c);
    if (status != POP3_OK)
        return p3_note_error(c, status, 0, "connecting", pop3_status_message(status), NULL);
    p3_wake_clear(&c->wake);
    c->ended = POP3_OK;
    c->offered_before = 0;
    c->received = 0;
    c->quit = c->untold = c->used = false;
    c->came_back = 0;
    c->failure.value.status = POP3_OK;
    c->failure.value.sys_errno = 0;
    c->failure.value.code = POP3_CODE_NONE;
    c->failure.message[0] = c->failure.server_text[0] = '\0';
    c->reply = c->opening = (pop3_reply){0};
    int64_t now = p3_now_ms();
    int session = c->options.session_timeout_ms;
    c->deadline = p3_deadline(now, c->options.connect_timeout_ms);
    c->session_ends = session > 0 ? p3_deadline(now, session) : P3_NEVER;
    return p3_connect_begin(c);
}

void p3_ready(pop3_client *c)
{
    p3_set_phase(c, p3_login_waits(c) ? P3_PHASE_LOGIN : P3_PHASE_READY);
    c->deadline = P3_NEVER;
}

/* Whether the time that connecting may take is still running. */
static bool is_connecting(const pop3_client *c)
{
    return c->phase < P3_PHASE_LOGIN && c->upgrading == NULL;
}

static void fail_io(pop3_client *c, p3_io io)
{
    int error = errno;
    const char *why = pop3_status_message(POP3_ERR_CLOSED);
    pop3_status status = io == P3_IO_CLOSED ? POP3_ERR_CLOSED : POP3_ERR_IO;
    if (c->stream.tls != NULL)
        status = p3_tls_session_error(c->stream.tls, &why, &error);
    else if (io != P3_IO_CLOSED)
        why = strerror(error);
    bool reset = error == ECONNRESET || error == EPIPE;
    if ((status == POP3_ERR_CLOSED || reset) && p3_come_back(c, reset))
        return;
    if (c->stream.tls != NULL)
        p3_fail_tls(c);
    else
        p3_fail(c, status, status == POP3_ERR_IO ? error : 0, NULL, why);
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
    c->drained = !c->read_again;
    if (io != P3_IO_OK)
        return io;
    bool full = got == c->buffer_len;
    c->received += got;
    pop3_engine_feed(c->engine, c->buffer, got);
    p3_dispatch(c);
    p3_requests_advance(c);
    if (full)
        grow_buffer(c);
    return P3_IO_OK;
}

/* Octets of a listing follow its first line at once: some servers answer CAPA with that line alone,
 * and are then waited for no longer than this. Milliseconds. */
#define P3_LISTING_WAIT 5000

static int patience(const pop3_client *c)
{
    pop3_command_kind kind = POP3_CMD_NONE;
    bool capa = c->opening.line.len > 0 && pop3_engine_current(c->engine, &kind, NULL) &&
                kind == POP3_CMD_CAPA && c->phase == P3_PHASE_LOGIN;
    int most = c->options.timeout_ms;
    return capa && (most < 0 || most > P3_LISTING_WAIT) ? P3_LISTING_WAIT : most;
}

/* Milliseconds without progress are counted while an answer is awaited or octets wait to be sent.
 */
static void touch_deadline(pop3_client *c)
{
    if (is_connecting(c))
        return; /* the connection's own deadline stands */
    bool busy = c->want_write || pop3_engine_wants_input(c->engine) || c->phase != P3_PHASE_READY;
    /* The clock is read now: callbacks may have taken their time, which is not the server's. */
    c->deadline = busy ? p3_deadline(p3_now_ms(), patience(c)) : P3_NEVER;
}

/* Before a silence is broken: takes what the server said unasked meanwhile, such as its farewell,
 * which would pass for the answer to what is sent now. Returns whether the connection lives on. */
static bool listen_first(pop3_client *c)
{
    if (c->drained || pop3_engine_pending(c->engine) == 0)
        return true;
    p3_io in = receive(c);
    if (in == P3_IO_CLOSED || in == P3_IO_FAILED)
        fail_io(c, in);
    return c->phase != P3_PHASE_NONE;
}

/* Acknowledges what has come when there is nothing to send along and one reply is awaited: a server
 * that writes it in pieces, with Nagle's algorithm on, holds the next piece back until then
 * (RFC 1122 section 4.2.3.4). While a window of commands is under way there is no hurry: full
 * segments are not held back. `silent`: a read that found nothing, as when a part of a TLS record
 * has come. */
static void acknowledge(const pop3_client *c, bool silent)
{
    if (c->drained && pop3_engine_wants_input(c->engine) && pop3_engine_in_flight(c->engine) <= 1 &&
        (!silent || c->stream.tls != NULL))
        p3_acknowledge(c->stream.fd);
}

/* Writes and reads once each. A write that breaks an idle silence is not followed by a read: the
 * answer cannot be there yet. */
static bool step_transfer(pop3_client *c)
{
    if (c->phase == P3_PHASE_LOGIN && p3_login_waits(c)) {
        p3_login_begin(c);
        p3_requests_advance(c);
        if (c->phase == P3_PHASE_NONE)
            return false;
    }
    if (p3_login_reckons(c)) { /* a slice each step: an event loop has others to serve */
        p3_login_reckon(c);
        if (c->phase == P3_PHASE_NONE)
            return false;
        touch_deadline(c); /* it is not the server that takes its time */
    }
    bool awaited = pop3_engine_wants_input(c->engine) || c->read_again;
    bool wrote = false;
    if (!awaited && !listen_first(c))
        return false;
    p3_io out = send_output(c, &wrote);
    c->want_write = out == P3_IO_AGAIN;
    if (out == P3_IO_FAILED) {
        fail_io(c, out);
        return false;
    }
    if (wrote && !awaited && out == P3_IO_OK) {
        touch_deadline(c);
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
        touch_deadline(c);
    /* Another round: more may be there already, or the replies have made room for more commands. */
    size_t len = 0;
    if (in == P3_IO_OK && !c->want_write)
        pop3_engine_output(c->engine, &len);
    if (len == 0 && !c->want_write && (in == P3_IO_OK || !wrote))
        acknowledge(c, in == P3_IO_AGAIN);
    return c->read_again || len > 0 || c->phase == P3_PHASE_HANDSHAKE;
}

static bool step_phase(pop3_client *c, int64_t now)
{
    switch (c->phase) {
    case P3_PHASE_RESOLVING:
    case P3_PHASE_DIALING:
    case P3_PHASE_PROXY:
    case P3_PHASE_HANDSHAKE:
        return p3_connect_step(c, now);
    case P3_PHASE_GREETING:
    case P3_PHASE_UPGRADE:
    case P3_PHASE_LOGIN:
    case P3_PHASE_READY:
        return step_transfer(c);
    default:
        return false;
    }
}

/* Lets the connection get on as far as it can without waiting. */
static void advance(pop3_client *c, int64_t now)
{
    c->drained = false;
    p3_requests_advance(c);
    c->more = true;
    for (int round = 0; c->more && round < P3_ROUNDS; round++) {
        c->more = step_phase(c, now) && !p3_wake_is_raised(&c->wake);
        if (c->phase == P3_PHASE_READY && c->under_way == 0)
            break; /* what comes after the last answer is for a later step to tell */
        if (p3_login_reckons(c))
            break;
    }
    c->more = c->more || p3_login_reckons(c);
    /* The engine may have run out of memory while it had nothing to tell. */
    if (c->phase != P3_PHASE_NONE && pop3_engine_state(c->engine) == POP3_STATE_DEAD)
        p3_dispatch(c);
}

/* The time is up. */
static pop3_status fail_late(pop3_client *c, int64_t now)
{
    char why[80];
    int limit = is_connecting(c) ? c->options.connect_timeout_ms : patience(c);
    if (now < c->session_ends && c->opening.line.len > 0 && p3_come_back(c, false))
        return POP3_PENDING;
    if (now >= c->session_ends)
        snprintf(why, sizeof why, "the session was not over within %d ms",
                 c->options.session_timeout_ms);
    else
        snprintf(why, sizeof why, "the server did not answer within %d ms", limit);
    return p3_fail(c, POP3_ERR_TIMEOUT, 0, NULL, why);
}

static pop3_status step(pop3_client *c)
{
    if (p3_wake_is_raised(&c->wake))
        return p3_fail(c, POP3_ERR_CANCELLED, 0, NULL, pop3_status_message(POP3_ERR_CANCELLED));
    int64_t now = p3_now_ms();
    advance(c, now);
    if (c->phase == P3_PHASE_NONE)
        return c->ended;
    if (now >= c->deadline || now >= c->session_ends)
        return fail_late(c, now);
    return c->phase == P3_PHASE_READY && c->under_way == 0 ? POP3_OK : POP3_PENDING;
}

pop3_status pop3_client_step(pop3_client *c)
{
    if (c->inside)
        return POP3_ERR_STATE;
    if (c->phase == P3_PHASE_NONE)
        return c->ended;
    c->inside = true; /* the trace callback is one, too */
    pop3_status status = step(c);
    c->inside = false;
    return status;
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
    case P3_PHASE_PROXY:
        p3_wait_add(&set, c->stream.fd, true, p3_proxy_wants_write(c->proxy));
        break;
    default:
        p3_wait_add(&set, c->stream.fd, true,
                    (c->want_write && !c->stream.write_wants_read) || c->stream.read_wants_write);
    }
    p3_wait_add(&set, c->wake.ends[0], true, false);
    for (size_t i = 0; i < set.count && i < cap; i++)
        out[i] =
            (pop3_waitable){.fd = set.at[i].fd, .read = set.at[i].read, .write = set.at[i].write};
    return set.count;
}

int pop3_client_deadline(const pop3_client *c)
{
    int64_t deadline = c->deadline < c->session_ends ? c->deadline : c->session_ends;
    if (c->phase == P3_PHASE_NONE)
        return -1;
    if (c->more || (c->phase == P3_PHASE_LOGIN && p3_login_waits(c)))
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
