/* How a connection ends, and the sentence about it. */
#include "client/client_state.h"

#include "core/text.h"
#include "io/clock.h"
#include "io/tls_session.h"

#include <stdio.h>
#include <string.h>

void p3_describe_command(pop3_command_kind kind, uint32_t number, char *out, size_t size)
{
    if (number > 0)
        snprintf(out, size, "%s %lu", pop3_command_name(kind), (unsigned long)number);
    else
        snprintf(out, size, "%s", pop3_command_name(kind));
}

/* A part of a reply up to where it repeats a secret. */
static pop3_str public_part(const pop3_client *c, const pop3_reply *reply, pop3_str part)
{
    part = pop3_engine_public_part(c->engine, reply, part);
    return c->login != NULL ? p3_login_public_part(c, part) : part;
}

/* What the server said, as far as it may be shown. */
static void add_server_text(const pop3_client *c, p3_text *to, const pop3_reply *reply, size_t most)
{
    pop3_str text = public_part(c, reply, reply->text);
    p3_text_add_printable(to, text, most);
    if (text.len < reply->text.len)
        p3_text_add(to, "***");
}

pop3_status p3_note_error(pop3_client *c, pop3_status status, int sys_errno, const char *doing,
                          const char *why, const pop3_reply *reply)
{
    p3_failure *f = &c->failure;
    f->value.status = status;
    f->value.sys_errno = sys_errno;
    f->value.code = reply != NULL ? reply->code : POP3_CODE_NONE;
    f->value.refused = POP3_REFUSED_NOTHING;
    f->value.temporary = false;
    f->value.certificate = status == POP3_ERR_CERTIFICATE && c->stream.tls != NULL
                               ? p3_tls_session_fault(c->stream.tls)
                               : POP3_CERTIFICATE_GOOD;
    f->value.tls = status == POP3_ERR_TLS && c->stream.tls != NULL
                       ? p3_tls_session_why(c->stream.tls)
                       : POP3_TLS_FAULT_NONE;
    const pop3_capabilities *caps = pop3_client_capabilities(c);
    f->value.login_delay =
        f->value.code == POP3_CODE_LOGIN_DELAY && caps != NULL ? caps->login_delay : 0;
    p3_text text = p3_text_begin(f->server_text, sizeof f->server_text);
    if (reply != NULL)
        add_server_text(c, &text, reply, sizeof f->server_text);
    p3_text message = p3_text_begin(f->message, sizeof f->message);
    p3_text_add(&message, c->where);
    p3_text_add(&message, ": ");
    p3_text_add(&message, doing);
    p3_text_add(&message, ": ");
    p3_text_add(&message, why);
    if (reply != NULL && reply->code_text.len > 0) {
        p3_text_add(&message, " [");
        p3_text_add_printable(&message, public_part(c, reply, reply->code_text), 40);
        p3_text_add(&message, "]");
    }
    if (reply != NULL && reply->text.len > 0) {
        p3_text_add(&message, reply->code_text.len > 0 ? " " : ": ");
        add_server_text(c, &message, reply, 200);
    }
    return status;
}

void p3_trace_note(pop3_client *c, const char *text)
{
    if (c->options.engine.trace == NULL || c->options.engine.trace_level < 1)
        return;
    bool was_inside = c->inside;
    c->inside = true;
    c->options.engine.trace(c->options.engine.trace_ctx, POP3_TRACE_NOTE, text, strlen(text));
    c->inside = was_inside;
}

void p3_disconnect(pop3_client *c, pop3_status ended, bool farewell)
{
    if (c->resolve != NULL)
        p3_resolve_free(c->resolve);
    c->resolve = NULL;
    p3_dial_end(&c->dial);
    p3_proxy_free(c->proxy);
    c->proxy = NULL;
    p3_stream_close(&c->stream, farewell);
    p3_set_phase(c, P3_PHASE_NONE);
    c->deadline = P3_NEVER;
    c->read_again = c->more = c->want_write = false;
    c->ended = ended;
    p3_trace_note(c, "closed");
}

/* What the client is doing in a phase without a command. */
static const char *phase_text(const pop3_client *c)
{
    switch (c->phase) {
    case P3_PHASE_RESOLVING:
        return c->options.proxy != POP3_PROXY_NONE ? "resolving the proxy's name"
                                                   : "resolving the host name";
    case P3_PHASE_PROXY:
        return "connecting through the proxy";
    case P3_PHASE_DIALING:
        return c->options.proxy != POP3_PROXY_NONE ? "connecting to the proxy" : "connecting";
    case P3_PHASE_HANDSHAKE:
        return "TLS handshake";
    case P3_PHASE_GREETING:
        return "waiting for the greeting";
    default:
        return "waiting";
    }
}

/* The sentence's middle: the command that is the first to fail, or what the phase is about. */
static void describe_work(const pop3_client *c, char *out, size_t size)
{
    pop3_command_kind kind;
    uint32_t number;
    bool in_command = c->phase >= P3_PHASE_UPGRADE;
    if (in_command && pop3_engine_current(c->engine, &kind, &number))
        p3_describe_command(kind, number, out, size);
    else
        snprintf(out, size, "%s", phase_text(c));
}

void p3_lost(pop3_client *c, const pop3_event *first)
{
    char doing[64];
    const char *why;
    pop3_status status = pop3_engine_error(c->engine, &why);
    if (first == NULL) {
        p3_note_error(c, status, 0, phase_text(c), why, NULL);
    } else if (first->status == POP3_OK) { /* a message that came whole before */
        describe_work(c, doing, sizeof doing);
        p3_note_error(c, status, 0, doing, why, NULL);
    } else if (first->kind == POP3_EVENT_GREETING) {
        bool refused = status == POP3_ERR_REFUSED;
        if (refused)
            p3_note_refusal(c, POP3_REFUSED_CONNECTION, "greeting", pop3_status_message(status),
                            &first->reply);
        else
            p3_note_error(c, status, 0, "greeting", why, NULL);
    } else {
        p3_describe_command(first->command, first->number, doing, sizeof doing);
        p3_note_error(c, status, 0, doing, why, NULL);
    }
    p3_disconnect(c, status, false);
}

void p3_abandon(pop3_client *c, pop3_status status)
{
    pop3_engine_fail(c->engine, status);
    p3_dispatch(c);
}

pop3_status p3_fail(pop3_client *c, pop3_status status, int sys_errno, const char *doing,
                    const char *why)
{
    char work[64];
    char both[300];
    if (c->came_back != 0 && c->phase <= P3_PHASE_GREETING && status != POP3_ERR_CANCELLED) {
        /* What was lost says more than that it could not be replaced. */
        snprintf(both, sizeof both, "%s, and could not be reached again to do without: %s",
                 pop3_status_message(POP3_ERR_CLOSED), why);
        c->options.traits.flags &= ~c->came_back;
        status = POP3_ERR_CLOSED;
        sys_errno = 0;
        doing = c->came_back == POP3_TRAIT_NO_APOP ? "APOP" : "CAPA";
        why = both;
    }
    if (doing == NULL) {
        describe_work(c, work, sizeof work);
        doing = work;
    }
    p3_note_error(c, status, sys_errno, doing, why, NULL);
    p3_disconnect(c, status, false);
    p3_abandon(c, status);
    return c->ended;
}
