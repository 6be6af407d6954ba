/* The non-blocking step: the order of connecting, greeting, transfer and limits. */
#include "client/step.h"

#include "client/error.h"
#include "client/session.h"
#include "client/connecting.h"

#include <errno.h>
#include <stdio.h>

/* Reads in one step, so that a fast connection does not starve others in an event loop. */
#define P3_ROUNDS 16

static void find_waits(const pop3_client *c, p3_wait_set *set)
{
    *set = (p3_wait_set){.count = 0};
    if (c->phase == P3_PHASE_NONE)
        return;
    p3_connection_waits(&c->connection, set);
    p3_wait_add(set, c->wake.ends[0], true, false);
}

/* All callbacks but the last have run: reports the descriptors to the event loop before any is
 * closed. */
static void end_step(pop3_client *c)
{
    p3_wait_set set;
    find_waits(c, &set);
    p3_socket_callback_update(&c->announced, c, &c->options, &set);
    p3_connection_step_ends(&c->connection);
    c->inside = false;
}

pop3_status pop3_client_start(pop3_client *c)
{
    if (c->phase != P3_PHASE_NONE || c->inside)
        return p3_error_record_impossible(c, "connecting");
    pop3_status status =
        p3_connection_prepare(&c->connection) ? p3_connecting_new_engine(c) : POP3_ERR_MEMORY;
    if (status != POP3_OK)
        return p3_error_record_status(c, status, "connecting", NULL);
    p3_wake_clear(&c->wake);
    p3_ending_begin(&c->ending);
    p3_login_new_connection(&c->login);
    p3_requests_begin(&c->requests);
    p3_reply_forget(&c->reply);
    p3_limits_begin(&c->limits, c->options.connect_timeout_ms, c->options.session_timeout_ms);
    c->more = false;
    c->inside = true;
    p3_connecting_begin(c);
    end_step(c);
    return c->phase == P3_PHASE_NONE ? c->ending.ended : POP3_OK;
}

/* Whether the time limit for connecting applies. */
static bool is_connecting(const pop3_client *c)
{
    return c->phase < P3_PHASE_LOGIN && c->upgrade.request == NULL;
}

/* Milliseconds for a listing to follow its first line: some servers answer CAPA with that line
 * alone. */
#define P3_LISTING_WAIT 5000

static int patience(const pop3_client *c)
{
    pop3_command_kind kind = POP3_CMD_NONE;
    bool capa = c->requests.opening.reply.line.len > 0 &&
                pop3_engine_current(c->engine, &kind, NULL) && kind == POP3_CMD_CAPA &&
                c->phase == P3_PHASE_LOGIN;
    int most = c->options.timeout_ms;
    return capa && (most < 0 || most > P3_LISTING_WAIT) ? P3_LISTING_WAIT : most;
}

/* Milliseconds without progress count while an answer is awaited or octets wait to be sent. */
static void touch_limits(pop3_client *c)
{
    if (is_connecting(c))
        return; /* the limit for connecting applies */
    if (c->connection.want_write || pop3_engine_wants_input(c->engine) ||
        c->phase != P3_PHASE_READY)
        p3_limits_await(&c->limits, patience(c));
    else
        p3_limits_rest(&c->limits);
}

/* Reads once, and calls the handlers. */
static p3_io receive(pop3_client *c)
{
    size_t got;
    p3_io io = p3_connection_receive(&c->connection, c->engine, &got);
    if (io != P3_IO_OK)
        return io;
    p3_session_dispatch(c);
    p3_session_advance(c);
    p3_connection_used_up(&c->connection, got);
    return P3_IO_OK;
}

/* The result of a transfer. */
typedef enum p3_transfer_step {
    P3_TRANSFER_WAIT,  /* wait for the socket, or for the caller */
    P3_TRANSFER_AGAIN, /* there is more to read, or the replies have made room for more commands */
    P3_TRANSFER_ENDED, /* the connection is closed */
    P3_TRANSFER_LOST,  /* the server or the network ended it: close it */
    P3_TRANSFER_OVER   /* QUIT has been answered: close it */
} p3_transfer_step;

static p3_transfer_step lost_or(p3_io io, p3_transfer_step otherwise)
{
    return io == P3_IO_CLOSED || io == P3_IO_FAILED ? P3_TRANSFER_LOST : otherwise;
}

/* Does what a login needs before octets are transferred. Returns whether the connection still
 * exists. */
static bool step_login(pop3_client *c)
{
    if (c->phase == P3_PHASE_LOGIN && p3_login_waits(&c->login)) {
        p3_session_begin_login(c);
        p3_session_advance(c);
    }
    if (c->phase == P3_PHASE_LOGIN && p3_login_reckons(&c->login)) {
        p3_session_compute(c); /* a slice in each step, because an event loop has other work */
        if (c->phase != P3_PHASE_NONE)
            touch_limits(c); /* this time is not the server's */
    }
    return c->phase != P3_PHASE_NONE;
}

/* What remains to do after octets were transferred. */
static p3_transfer_step after_transfer(pop3_client *c, p3_io in, bool wrote)
{
    if (wrote || in == P3_IO_OK || c->limits.answer == P3_NEVER)
        touch_limits(c);
    bool want_write = c->connection.want_write;
    size_t len = 0;
    if (in == P3_IO_OK && !want_write)
        pop3_engine_output(c->engine, &len);
    /* While a window of commands is in flight, acknowledgements need no hurry: full segments are
     * not held back. */
    bool one = pop3_engine_wants_input(c->engine) && pop3_engine_in_flight(c->engine) <= 1;
    if (one && len == 0 && !want_write && (in == P3_IO_OK || !wrote))
        p3_connection_acknowledge(&c->connection, in == P3_IO_AGAIN);
    bool again = c->connection.read_again || len > 0 || c->phase == P3_PHASE_HANDSHAKE;
    return again ? P3_TRANSFER_AGAIN : P3_TRANSFER_WAIT;
}

/* Before an idle connection is used: reads what the server sent meanwhile, such as a timeout
 * message, which would otherwise be taken for the answer to the next command. */
static p3_transfer_step listen_first(pop3_client *c, p3_io *in)
{
    if (c->connection.drained || pop3_engine_pending(c->engine) == 0)
        return P3_TRANSFER_AGAIN;
    *in = receive(c);
    return c->phase == P3_PHASE_NONE ? P3_TRANSFER_ENDED : lost_or(*in, P3_TRANSFER_AGAIN);
}

/* Writes and reads once each. A write after idle time is not followed by a read, because the answer
 * cannot have arrived. `in` is the result of reading or writing. */
static p3_transfer_step step_transfer(pop3_client *c, p3_io *in)
{
    if (!step_login(c))
        return P3_TRANSFER_ENDED;
    bool awaited = pop3_engine_wants_input(c->engine) || c->connection.read_again;
    bool wrote = false;
    p3_transfer_step before = awaited ? P3_TRANSFER_AGAIN : listen_first(c, in);
    if (before != P3_TRANSFER_AGAIN)
        return before;
    p3_io out = p3_connection_send(&c->connection, c->engine, &wrote);
    *in = out;
    if (out == P3_IO_FAILED)
        return P3_TRANSFER_LOST;
    if (wrote && !awaited && out == P3_IO_OK) {
        touch_limits(c);
        return P3_TRANSFER_WAIT;
    }
    *in = receive(c);
    if (c->phase == P3_PHASE_NONE)
        return P3_TRANSFER_ENDED;
    if (*in == P3_IO_AGAIN && out == P3_IO_CLOSED)
        *in = P3_IO_CLOSED; /* no message before the end */
    if (lost_or(*in, P3_TRANSFER_WAIT) == P3_TRANSFER_LOST)
        return P3_TRANSFER_LOST;
    if (pop3_engine_state(c->engine) == POP3_STATE_UPDATE)
        return P3_TRANSFER_OVER;
    return after_transfer(c, *in, wrote);
}

/* The server or the network has ended the connection. Returns whether there is another one. */
static bool lose_connection(pop3_client *c, p3_io io)
{
    p3_fault fault = {0};
    p3_connection_explain(&c->connection, io, &fault);
    bool reset = fault.sys_errno == ECONNRESET || fault.sys_errno == EPIPE;
    if ((fault.status == POP3_ERR_CLOSED || reset) && p3_connecting_retry(c, reset))
        return c->phase != P3_PHASE_NONE;
    p3_session_fail(c, &fault);
    return false;
}

/* Transfers octets; returns whether another round is worthwhile. */
static bool transfer(pop3_client *c)
{
    p3_io io = P3_IO_OK;
    switch (step_transfer(c, &io)) {
    case P3_TRANSFER_AGAIN:
        return true;
    case P3_TRANSFER_LOST:
        return lose_connection(c, io);
    case P3_TRANSFER_OVER:
        p3_session_close(c, POP3_OK, true);
        return false;
    default:
        return false;
    }
}

static bool step_phase(pop3_client *c, int64_t now)
{
    switch (c->phase) {
    case P3_PHASE_RESOLVING:
    case P3_PHASE_DIALING:
    case P3_PHASE_PROXY:
    case P3_PHASE_HANDSHAKE:
        return p3_connecting_step(c, now);
    case P3_PHASE_GREETING:
    case P3_PHASE_UPGRADE:
    case P3_PHASE_LOGIN:
    case P3_PHASE_READY:
        return transfer(c);
    default:
        return false;
    }
}

/* Advances the connection as far as possible without waiting. */
static void advance(pop3_client *c, int64_t now)
{
    p3_connection_step_begins(&c->connection);
    p3_session_advance(c);
    c->more = true;
    for (int round = 0; c->more && round < P3_ROUNDS; round++) {
        c->more = step_phase(c, now) && !p3_wake_is_raised(&c->wake);
        if (c->phase == P3_PHASE_READY && p3_under_way(c) == 0)
            break; /* what follows the last answer is reported by a later step */
        if (p3_login_reckons(&c->login))
            break;
    }
    c->more = c->more || p3_login_reckons(&c->login);
    p3_requests_seen(&c->requests);
    p3_session_dispatch(c); /* the engine may be out of memory without an event */
}

/* A time limit has passed. */
static pop3_status fail_late(pop3_client *c, int64_t now)
{
    char why[80];
    bool session = now >= c->limits.session;
    int limit = is_connecting(c) ? c->options.connect_timeout_ms : patience(c);
    if (!session && c->requests.opening.reply.line.len > 0 && p3_connecting_retry(c, false)) {
        c->more = true;
        return POP3_PENDING;
    }
    if (session)
        snprintf(why, sizeof why, "the session was not over within %d ms",
                 c->options.session_timeout_ms);
    else
        snprintf(why, sizeof why, "the server did not answer within %d ms", limit);
    bool silent = c->phase == P3_PHASE_GREETING && c->options.security != POP3_SECURITY_TLS;
    p3_session_fail(c, &(p3_fault){.status = POP3_ERR_TIMEOUT,
                                   .why = why,
                                   .tls = silent ? POP3_TLS_FAULT_EXPECTED : POP3_TLS_FAULT_NONE});
    return c->ending.ended;
}

static pop3_status step_once(pop3_client *c)
{
    if (p3_wake_is_raised(&c->wake)) {
        p3_session_fail(c, &(p3_fault){.status = POP3_ERR_CANCELLED});
        return c->ending.ended;
    }
    int64_t now = p3_now_ms();
    advance(c, now);
    if (c->phase == P3_PHASE_NONE)
        return c->ending.ended;
    if (now >= p3_limits_next(&c->limits))
        return fail_late(c, now);
    return c->phase == P3_PHASE_READY && p3_under_way(c) == 0 ? POP3_OK : POP3_PENDING;
}

pop3_status pop3_client_step(pop3_client *c)
{
    if (c->inside)
        return p3_error_record_impossible(c, "stepping");
    if (c->phase == P3_PHASE_NONE)
        return c->ending.ended;
    c->inside = true; /* callbacks run in the following calls */
    pop3_status status = step_once(c);
    end_step(c);
    return status;
}

void p3_step_close(pop3_client *c, p3_fault *fault)
{
    if (c->phase == P3_PHASE_NONE || c->inside)
        return;
    c->inside = true;
    if (fault != NULL)
        p3_session_fail(c, fault);
    else
        p3_session_close(c, POP3_ERR_CANCELLED, false);
    end_step(c);
}

size_t pop3_client_waitables(const pop3_client *c, pop3_waitable *out, size_t cap)
{
    p3_wait_set set;
    find_waits(c, &set);
    for (size_t i = 0; i < set.count && i < cap; i++)
        out[i] =
            (pop3_waitable){.fd = set.at[i].fd, .read = set.at[i].read, .write = set.at[i].write};
    return set.count;
}

int pop3_client_deadline(const pop3_client *c)
{
    if (c->phase == P3_PHASE_NONE)
        return -1;
    if (c->more || c->requests.fresh || (c->phase == P3_PHASE_LOGIN && p3_login_waits(&c->login)))
        return 0;
    p3_wait_set unused = {.count = 0};
    int64_t next = p3_connection_waits(&c->connection, &unused);
    int64_t limit = p3_limits_next(&c->limits);
    return p3_until(next < limit ? next : limit, p3_now_ms());
}
