/* The way to a connection: resolving, dialing, proxies, the TLS handshake. */
#include "client/login.h"

#include "core/text.h"
#include "io/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static pop3_status begin_dialing(pop3_client *c)
{
    if (c->options.local_address != NULL && !p3_dial_bind(&c->dial, c->options.local_address))
        return p3_fail(c, POP3_ERR_ARGUMENT, 0, "connecting", "the local address is not numeric");
    p3_set_phase(c, P3_PHASE_DIALING);
    return POP3_OK;
}

pop3_status p3_connect_begin(pop3_client *c)
{
    if (c->options.unix_socket != NULL) {
        p3_set_phase(c, P3_PHASE_DIALING);
        p3_dial_begin_unix(&c->dial, c->options.unix_socket); /* its length was checked before */
        return POP3_OK;
    }
    p3_set_phase(c, P3_PHASE_RESOLVING);
    bool proxy = c->options.proxy != POP3_PROXY_NONE;
    const char *host = proxy ? c->options.proxy_host : c->options.host;
    uint16_t port = proxy ? c->options.proxy_port : c->options.port;
    const p3_resolver by = {c->options.resolve, c->options.resolve_ctx};
    pop3_status status = p3_resolve_start(&c->resolve, host, port, &by);
    if (status == POP3_OK)
        return POP3_OK;
    int error = status == POP3_ERR_IO ? errno : 0;
    return p3_fail(c, status, error, NULL,
                   error != 0 ? strerror(error) : pop3_status_message(status));
}

pop3_status p3_begin_tls(pop3_client *c)
{
    pop3_status status = POP3_OK;
    if (c->options.tls == NULL)
        status = pop3_tls_new(&c->options.tls, NULL, NULL, 0);
    if (status == POP3_OK)
        status = p3_tls_session_new(&c->stream.tls, c->options.tls, c->stream.fd, p3_host(c));
    p3_set_phase(c, P3_PHASE_HANDSHAKE);
    if (status != POP3_OK)
        return p3_fail(c, status, 0, NULL, pop3_status_message(status));
    return POP3_OK;
}

/* The parts of a step: each returns whether it got on. */

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

/* The server is at the other end. */
static bool reached(pop3_client *c)
{
    if (c->options.security == POP3_SECURITY_TLS)
        return p3_begin_tls(c) == POP3_OK;
    p3_set_phase(c, P3_PHASE_GREETING);
    return true;
}

static bool begin_proxy(pop3_client *c)
{
    const pop3_client_options *o = &c->options;
    pop3_status (*begin)(p3_proxy *) = p3_proxy_http;
    if (o->proxy != POP3_PROXY_HTTP)
        begin = o->proxy == POP3_PROXY_SOCKS5 ? p3_proxy_socks5 : p3_proxy_socks4;
    p3_set_phase(c, P3_PHASE_PROXY);
    c->proxy = p3_proxy_new(begin, o->host, o->port, o->proxy_user, o->proxy_password);
    if (c->proxy == NULL)
        p3_fail(c, POP3_ERR_MEMORY, 0, NULL, pop3_status_message(POP3_ERR_MEMORY));
    return c->proxy != NULL;
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
    return c->options.proxy != POP3_PROXY_NONE ? begin_proxy(c) : reached(c);
}

static bool step_proxy(pop3_client *c)
{
    pop3_status status = p3_proxy_step(c->proxy, c->stream.fd);
    if (status == POP3_PENDING)
        return false;
    if (status != POP3_OK) {
        char kept[sizeof c->proxy->why];
        const char *why = pop3_status_message(status);
        if (c->proxy->why[0] != '\0')
            why = memcpy(kept, c->proxy->why, sizeof kept); /* it goes with the connection */
        p3_fail(c, status, c->proxy->sys_errno, NULL, why);
        return false;
    }
    p3_proxy_free(c->proxy);
    c->proxy = NULL;
    p3_trace_note(c, "connected through the proxy");
    return reached(c);
}

/* Ends the connection with what the TLS session says. */
void p3_fail_tls(pop3_client *c)
{
    const char *why;
    int error;
    char kept[512];
    pop3_status status = p3_tls_session_error(c->stream.tls, &why, &error);
    snprintf(kept, sizeof kept, "%s", why); /* the session goes with the connection */
    p3_fail(c, status, error, NULL, kept);
}

/* Connects once more. Nothing of the caller's has been sent yet. */
static bool start_anew(pop3_client *c, const char *note)
{
    p3_trace_note(c, note);
    p3_stream_close(&c->stream, false);
    c->want_write = c->read_again = false;
    pop3_status status = p3_make_engine(c);
    if (status != POP3_OK) {
        p3_fail(c, status, 0, NULL, pop3_status_message(status));
        return false;
    }
    return p3_connect_begin(c) == POP3_OK;
}

static bool step_handshake(pop3_client *c)
{
    p3_tls_io io = p3_tls_session_handshake(c->stream.tls);
    c->want_write = io == P3_TLS_IO_WANT_WRITE;
    if (io == P3_TLS_IO_WANT_READ || io == P3_TLS_IO_WANT_WRITE)
        return false;
    if (io != P3_TLS_IO_OK) {
        bool again = p3_tls_session_blames_resumption(c->stream.tls) && c->upgrading == NULL;
        if (again) /* it may have failed for an old session's sake */
            return start_anew(c, "TLS handshake failed with an earlier session; trying without");
        p3_fail_tls(c);
        return false;
    }
    char note[100];
    snprintf(note, sizeof note, "%s with %s%s", p3_tls_session_version(c->stream.tls),
             p3_tls_session_cipher(c->stream.tls),
             p3_tls_session_resumed(c->stream.tls) ? ", resumed" : "");
    p3_trace_note(c, note);
    if (pop3_engine_state(c->engine) == POP3_STATE_GREETING) {
        pop3_engine_tls_started(c->engine);
        p3_set_phase(c, P3_PHASE_GREETING);
    } else {
        p3_upgrade_encrypted(c);
    }
    return true;
}

/* Whether all that the connection was asked is CAPA, or the first command of a login after that was
 * refused. */
static bool has_only_heard_capa(const pop3_client *c)
{
    pop3_command_kind kind;
    const p3_login *l = c->login;
    if (c->used || c->upgrading != NULL || !pop3_engine_current(c->engine, &kind, NULL))
        return false;
    if (c->phase == P3_PHASE_UPGRADE)
        return kind == POP3_CMD_CAPA;
    if (c->phase != P3_PHASE_LOGIN || l == NULL)
        return false;
    return l->asking ||
           (l->capa_refused && l->others == 0 && (kind == POP3_CMD_USER || kind == POP3_CMD_APOP));
}

/* Notes that the connection ended at CAPA, when it did. Returns whether it may be made again. After
 * the login other commands are under way: a reset there may as well be the network's. */
static bool learn_from_capa(pop3_client *c, bool reset)
{
    bool late = pop3_engine_waits_for_late_capa(c->engine);
    pop3_trait trait = late ? POP3_TRAIT_NO_LATE_CAPA : POP3_TRAIT_NO_CAPA;
    if ((late && reset) || p3_has_trait(c, trait) || (!late && !has_only_heard_capa(c)))
        return false;
    c->options.traits.flags |= trait;
    if (late && (c->phase != P3_PHASE_LOGIN || c->login == NULL || c->came_back != 0))
        return false;
    c->came_back = trait;
    return true;
}

bool p3_come_back(pop3_client *c, bool reset)
{
    const char *note = "the server ended the connection at CAPA; connecting again to do without";
    if (!learn_from_capa(c, reset)) {
        if (!p3_login_may_follow_apop(c))
            return false;
        c->came_back = POP3_TRAIT_NO_APOP; /* it is learned when the login has worked without */
        note = "the server ended the connection at APOP; connecting again to do without";
    }
    if (c->login != NULL)
        p3_login_start_over(c->login);
    p3_requests_forget(c);
    c->deadline = p3_deadline(p3_now_ms(), c->options.connect_timeout_ms);
    c->more = true;
    (void)start_anew(c, note);
    return true;
}

bool p3_connect_step(pop3_client *c, int64_t now)
{
    switch (c->phase) {
    case P3_PHASE_RESOLVING:
        return step_resolving(c);
    case P3_PHASE_DIALING:
        return step_dialing(c, now);
    case P3_PHASE_PROXY:
        return step_proxy(c);
    default:
        return step_handshake(c);
    }
}
