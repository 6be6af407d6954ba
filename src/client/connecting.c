/* Connecting, and connecting again after a connection that ended too soon. */
#include "client/connecting.h"

#include "client/session.h"
#include "client/trace.h"

pop3_status p3_connecting_new_engine(pop3_client *c)
{
    pop3_engine_options o = c->options.engine;
    /* Without CAPA nothing is announced, and the engine would send CAPA itself. */
    if (o.pipelining == POP3_PIPELINING_AUTO &&
        p3_has_trait(&c->options, POP3_TRAIT_ONE_AT_A_TIME | POP3_TRAIT_NO_CAPA))
        o.pipelining = POP3_PIPELINING_OFF;
    o.no_late_capa = o.no_late_capa || p3_has_trait(&c->options, POP3_TRAIT_NO_LATE_CAPA);
    pop3_engine *engine;
    pop3_status status = pop3_engine_new(&engine, &o);
    if (status != POP3_OK)
        return status;
    pop3_engine_free(c->engine);
    c->engine = engine;
    return POP3_OK;
}

static void connect_once(pop3_client *c)
{
    p3_fault fault = {0};
    p3_set_phase(&c->phase, c->options.unix_socket != NULL ? P3_PHASE_DIALING : P3_PHASE_RESOLVING);
    if (p3_connection_begin(&c->connection, &c->options, &fault) == P3_CONNECTION_FAILED)
        p3_session_fail(c, &fault);
}

void p3_connecting_begin(pop3_client *c)
{
    c->came_back = 0;
    connect_once(c);
}

/* Connects once more. No command of the caller's has been sent yet. */
static void start_anew(pop3_client *c, const char *why)
{
    p3_trace_note(&c->options.engine, why);
    p3_connection_close(&c->connection, false);
    pop3_status status = p3_connecting_new_engine(c);
    if (status == POP3_OK)
        connect_once(c);
    else
        p3_session_fail(c, &(p3_fault){.status = status});
}

/* The server has been reached. */
static void reached(pop3_client *c)
{
    if (c->options.security == POP3_SECURITY_TLS)
        p3_session_begin_tls(c);
    else
        p3_set_phase(&c->phase, P3_PHASE_GREETING);
}

static void dialed(pop3_client *c)
{
    if (c->options.proxy == POP3_PROXY_NONE) {
        reached(c);
        return;
    }
    p3_set_phase(&c->phase, P3_PHASE_PROXY);
    pop3_status status = p3_connection_begin_proxy(&c->connection, &c->options);
    if (status != POP3_OK)
        p3_session_lose(c, &(p3_fault){.status = status});
}

static p3_connection_progress step_connecting(pop3_client *c, int64_t now, p3_fault *fault)
{
    switch (c->phase) {
    case P3_PHASE_RESOLVING:
        return p3_connection_resolve(&c->connection, &c->options, fault);
    case P3_PHASE_DIALING:
        return p3_connection_dial(&c->connection, &c->options, now, fault);
    case P3_PHASE_PROXY:
        return p3_connection_ask_proxy(&c->connection, &c->options, fault);
    default:
        return p3_connection_shake_hands(&c->connection, &c->options, fault);
    }
}

bool p3_connecting_step(pop3_client *c, int64_t now)
{
    p3_fault fault = {0};
    p3_connection_progress way = step_connecting(c, now, &fault);
    if (way == P3_CONNECTION_RESUMED && c->upgrade.request != NULL)
        way = P3_CONNECTION_FAILED;
    switch (way) {
    case P3_CONNECTION_WAIT:
        return false;
    case P3_CONNECTION_RESOLVED:
        p3_set_phase(&c->phase, P3_PHASE_DIALING);
        return true;
    case P3_CONNECTION_DIALED:
        dialed(c);
        break;
    case P3_CONNECTION_PROXIED:
        reached(c);
        break;
    case P3_CONNECTION_SECURED:
        p3_session_tls_done(c);
        break;
    case P3_CONNECTION_RESUMED:
        start_anew(c, "TLS handshake failed with an earlier session; trying without");
        break;
    case P3_CONNECTION_FAILED:
        p3_session_lose(c, &fault);
    }
    if (c->phase == P3_PHASE_NONE)
        p3_session_dispatch(c);
    return c->phase != P3_PHASE_NONE;
}

/* Whether only CAPA was sent on the connection, or the first command of a login after CAPA was
 * refused. */
static bool has_only_heard_capa(const pop3_client *c)
{
    pop3_command_kind kind;
    if (c->requests.used || c->upgrade.request != NULL ||
        !pop3_engine_current(c->engine, &kind, NULL))
        return false;
    if (c->phase == P3_PHASE_UPGRADE)
        return kind == POP3_CMD_CAPA;
    return c->phase == P3_PHASE_LOGIN && p3_login_has_only_heard_capa(&c->login, kind);
}

/* Learns that the connection ended at CAPA. Returns whether it may be made again: not if the caller
 * has used it, because the effects of his commands, above all STLS, would be missing. After the
 * login other commands are in flight: a reset may then be the network's. */
static bool learn_from_capa(pop3_client *c, bool reset)
{
    bool late = pop3_engine_waits_for_late_capa(c->engine);
    pop3_trait trait = late ? POP3_TRAIT_NO_LATE_CAPA : POP3_TRAIT_NO_CAPA;
    if ((late && reset) || p3_has_trait(&c->options, trait) || (!late && !has_only_heard_capa(c)))
        return false;
    p3_options_learn(&c->options, trait, 0);
    if (late && (c->phase != P3_PHASE_LOGIN || !p3_login_is_there(&c->login) || c->requests.used ||
                 c->came_back != 0))
        return false;
    c->came_back = trait;
    return true;
}

/* Whether the connection ended at APOP, and USER may be tried. */
static bool ended_at_apop(pop3_client *c)
{
    pop3_command_kind kind = POP3_CMD_USER; /* if it has not been sent */
    p3_scene scene = p3_session_scene(c);
    (void)pop3_engine_current(c->engine, &kind, NULL);
    return c->phase == P3_PHASE_LOGIN && !c->requests.used &&
           p3_login_may_follow_apop(&c->login, &scene, kind);
}

/* Whether the connection ended after a refused initial response: some servers close it after that.
 */
static bool ended_at_initial(const pop3_client *c)
{
    return c->phase == P3_PHASE_LOGIN && !c->requests.used &&
           c->came_back != POP3_TRAIT_NO_INITIAL_RESPONSE && p3_login_may_omit_initial(&c->login);
}

bool p3_connecting_retry(pop3_client *c, bool reset)
{
    const char *why = "the server closed the connection at CAPA; connecting again without it";
    if (!learn_from_capa(c, reset)) {
        /* The trait is learned when the login has worked without the initial response. */
        if (ended_at_initial(c)) {
            c->came_back = POP3_TRAIT_NO_INITIAL_RESPONSE;
            why = "the server closed the connection at AUTH; connecting again to send the response "
                  "on a line of its own";
        } else if (ended_at_apop(c)) {
            c->came_back = POP3_TRAIT_NO_APOP;
            why = "the server closed the connection at APOP; connecting again without it";
        } else {
            return false;
        }
    }
    p3_login_start_over(&c->login);
    p3_requests_forget(&c->requests, c->engine);
    p3_limits_await(&c->limits, c->options.connect_timeout_ms);
    start_anew(c, why);
    return true;
}
