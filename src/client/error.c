/* The texts of errors: what the client was doing, and which part of the server's text may be shown.
 */
#include "client/error.h"

#include <stdio.h>

/* A part of a reply, up to where it repeats a secret. */
static pop3_str public_part(const pop3_client *c, const pop3_reply *reply, pop3_str part)
{
    return p3_login_public_part(&c->login, pop3_engine_public_part(c->engine, reply, part));
}

void p3_error_record(pop3_client *c, p3_fault *fault)
{
    const pop3_capabilities *caps = pop3_engine_capabilities(c->engine);
    if (fault->reply != NULL) {
        fault->text = public_part(c, fault->reply, fault->reply->text);
        fault->code_text = public_part(c, fault->reply, fault->reply->code_text);
        fault->login_delay = caps != NULL ? caps->login_delay : 0;
    }
    p3_ending_note(&c->ending, fault);
}

pop3_status p3_error_record_status(pop3_client *c, pop3_status status, const char *doing,
                                   const char *why)
{
    p3_error_record(c, &(p3_fault){.status = status, .doing = doing, .why = why});
    return status;
}

pop3_status p3_error_record_refusal(pop3_client *c, const pop3_command *command, pop3_status status)
{
    char doing[32];
    p3_describe_command(command->kind, command->number, doing, sizeof doing);
    const char *why = pop3_status_message(status);
    if (status == POP3_ERR_STATE && c->phase == P3_PHASE_NONE)
        why = "there is no connection";
    else if (status == POP3_ERR_ARGUMENT)
        why = "an argument is empty, too long, zero, not UTF-8, or holds CR, LF or NUL";
    return p3_error_record_status(c, status, doing, why);
}

bool p3_error_tells_the_end(const pop3_client *c)
{
    return c->phase == P3_PHASE_NONE && c->ending.ended != POP3_OK;
}

pop3_status p3_error_record_impossible(pop3_client *c, const char *doing)
{
    const char *why =
        c->inside ? "not possible within a callback" : "there is a connection already";
    if (!p3_error_tells_the_end(c))
        (void)p3_error_record_status(c, POP3_ERR_STATE, doing, why);
    return POP3_ERR_STATE;
}

const char *p3_error_phase(const pop3_client *c)
{
    bool proxy = c->options.proxy != POP3_PROXY_NONE;
    switch (c->phase) {
    case P3_PHASE_RESOLVING:
        return proxy ? "resolving the proxy's name" : "resolving the host name";
    case P3_PHASE_PROXY:
        return "connecting through the proxy";
    case P3_PHASE_DIALING:
        return proxy ? "connecting to the proxy" : "connecting";
    case P3_PHASE_HANDSHAKE:
        return "TLS handshake";
    case P3_PHASE_GREETING:
        return "waiting for the greeting";
    default:
        return "waiting";
    }
}

void p3_error_work(const pop3_client *c, char *out, size_t size)
{
    pop3_command_kind kind;
    uint32_t number;
    bool in_command = c->phase >= P3_PHASE_UPGRADE;
    if (in_command && pop3_engine_current(c->engine, &kind, &number))
        p3_describe_command(kind, number, out, size);
    else
        snprintf(out, size, "%s", p3_error_phase(c));
}
