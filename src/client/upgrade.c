/* STLS (RFC 2595 §4): capabilities if they are not known, the command, the handshake, capabilities
 * again. Never falls back: what was to be protected is, or the upgrade fails. */
#include "client/client_state.h"

static void submit_stls(pop3_client *c);

static void note(pop3_client *c, pop3_status status, const char *why, const pop3_reply *reply)
{
    if (reply != NULL && status == POP3_ERR_REFUSED)
        p3_note_refusal(c, POP3_REFUSED_PROTECTION, "STLS", why, reply);
    else
        p3_note_error(c, status, 0, "STLS", why, reply);
    if (status == POP3_ERR_NOT_OFFERED)
        c->failure.value.refused = POP3_REFUSED_PROTECTION;
}

/* The upgrade did not come about; the connection is good. A connection that requires TLS ends. */
static void give_up(pop3_client *c, pop3_status status, const char *why, const pop3_reply *reply)
{
    p3_request *r = c->upgrading;
    if (r == NULL) {
        p3_fail(c, status, 0, "STLS", why);
        note(c, status, why, reply);
        return;
    }
    note(c, status, why, reply);
    c->upgrading = NULL;
    p3_ready(c);
    pop3_result result = {.status = status, .command = POP3_CMD_STLS, .sent = reply != NULL};
    if (reply != NULL)
        result.reply = *reply;
    p3_request_over(c, r, &result);
}

/* Our own command could not even be submitted. */
static void submit_own(pop3_client *c, pop3_command_kind kind, pop3_done_fn done)
{
    pop3_command command = POP3_COMMAND_INIT;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    command.kind = kind;
    handlers.done = done;
    pop3_status status = p3_submit_now(c, &command, &handlers);
    if (status != POP3_OK)
        p3_fail(c, status, 0, pop3_command_name(kind), pop3_status_message(status));
}

static void capabilities_before(void *ctx, pop3_client *c, const pop3_result *result)
{
    (void)ctx;
    (void)result; /* refused: nothing is announced */
    if (c->phase == P3_PHASE_UPGRADE)
        submit_stls(c);
}

static void stls_answered(void *ctx, pop3_client *c, const pop3_result *result)
{
    (void)ctx;
    if (c->phase != P3_PHASE_UPGRADE)
        return; /* the connection has failed, and its end is being told */
    p3_keep_reply(c, &result->reply);
    if (result->status == POP3_OK)
        p3_begin_tls(c);
    else
        give_up(c, result->status, pop3_status_message(result->status), &result->reply);
}

static void submit_stls(pop3_client *c)
{
    const pop3_capabilities *caps = pop3_engine_capabilities(c->engine);
    bool announced = caps != NULL && (caps->flags & POP3_CAP_STLS) != 0;
    if (!announced && !p3_has_trait(c, POP3_TRAIT_NO_CAPA))
        give_up(c, POP3_ERR_NOT_OFFERED,
                "the server does not announce STLS, so the connection cannot be protected", NULL);
    else
        submit_own(c, POP3_CMD_STLS, stls_answered);
}

void p3_upgrade_begin(pop3_client *c, p3_request *request)
{
    p3_set_phase(c, P3_PHASE_UPGRADE);
    c->upgrading = request;
    if (pop3_engine_capabilities(c->engine) != NULL || p3_has_trait(c, POP3_TRAIT_NO_CAPA))
        submit_stls(c);
    else
        submit_own(c, POP3_CMD_CAPA, capabilities_before);
}

static void upgraded(pop3_client *c)
{
    p3_request *r = c->upgrading;
    c->upgrading = NULL;
    p3_ready(c);
    if (r == NULL)
        return;
    pop3_result done = {
        .status = POP3_OK, .command = POP3_CMD_STLS, .sent = true, .reply = c->reply};
    p3_request_over(c, r, &done);
}

static void capabilities_after(void *ctx, pop3_client *c, const pop3_result *result)
{
    (void)ctx;
    (void)result; /* refused: a server without CAPA, whose capabilities stay unknown */
    if (c->phase == P3_PHASE_UPGRADE)
        upgraded(c);
}

void p3_upgrade_encrypted(pop3_client *c)
{
    pop3_engine_tls_started(c->engine);
    p3_set_phase(c, P3_PHASE_UPGRADE);
    if (p3_has_trait(c, POP3_TRAIT_NO_CAPA))
        upgraded(c);
    else
        submit_own(c, POP3_CMD_CAPA, capabilities_after);
}
