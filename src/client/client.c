/* The handle: creates and frees clients, submits commands, and answers questions about a client. */
#include "client/session.h"
#include "client/error.h"
#include "client/step.h"
#include "client/connecting.h"

#include "core/sized.h"
#include "core/wipe.h"
#include "client/login_options.h"

#include <stdlib.h>

pop3_status pop3_client_new(pop3_client **out, const pop3_client_options *options)
{
    if (out == NULL)
        return POP3_ERR_ARGUMENT;
    *out = NULL;
    if (pop3_client_options_problem(options) != NULL)
        return POP3_ERR_ARGUMENT;
    pop3_client *c = calloc(1, sizeof *c);
    if (c == NULL)
        return POP3_ERR_MEMORY;
    p3_connection_init(&c->connection);
    p3_requests_init(&c->requests);
    p3_login_init(&c->login);
    p3_limits_rest(&c->limits);
    c->wake.ends[0] = c->wake.ends[1] = -1;
    pop3_status status = p3_options_copy(&c->options, options);
    if (status == POP3_OK)
        status = p3_connecting_new_engine(c);
    if (status == POP3_OK && !p3_wake_init(&c->wake))
        status = POP3_ERR_IO;
    if (status != POP3_OK) {
        pop3_client_free(c);
        return status;
    }
    p3_ending_init(&c->ending, &c->options);
    *out = c;
    return POP3_OK;
}

void pop3_client_free(pop3_client *c)
{
    if (c == NULL)
        return;
    pop3_client_close(c);
    pop3_engine_free(c->engine);
    p3_connection_free(&c->connection);
    p3_requests_free(&c->requests);
    p3_upgrade_free(&c->upgrade);
    p3_wake_free(&c->wake);
    p3_options_free(&c->options);
    p3_reply_free(&c->reply);
    p3_wipe_free(c, sizeof *c);
}

void pop3_client_cancel(pop3_client *c)
{
    p3_wake_raise(&c->wake);
}

void pop3_client_close(pop3_client *c)
{
    p3_step_close(c, &(p3_fault){.status = POP3_ERR_CANCELLED,
                                 .doing = "closing",
                                 .why = "closed without QUIT"});
}

/* ---- submitting ---- */

static pop3_status submit_command(pop3_client *c, const pop3_command *command,
                                  const pop3_handlers *h)
{
    if (command->kind == POP3_CMD_AUTH)
        return POP3_ERR_ARGUMENT;
    pop3_status status = pop3_command_check(command);
    if (status != POP3_OK)
        return status;
    if (c->phase == P3_PHASE_NONE || c->requests.quit)
        return POP3_ERR_STATE;
    bool upgrade = command->kind == POP3_CMD_STLS;
    bool straight = c->phase == P3_PHASE_READY && p3_requests_first(&c->requests) == NULL;
    if (straight || upgrade) /* otherwise it is checked when its turn comes */
        status = p3_session_check(c, command->kind);
    const pop3_capabilities *caps = pop3_client_capabilities(c);
    if (status == POP3_OK && upgrade && straight && caps != NULL &&
        (caps->flags & POP3_CAP_STLS) == 0)
        status = POP3_ERR_NOT_OFFERED;
    if (status == POP3_OK)
        status = straight && !upgrade ? p3_requests_send(&c->requests, c->engine, command, h)
                                      : p3_requests_hold(&c->requests, command, h);
    if (status == POP3_OK)
        p3_requests_note(&c->requests, command->kind, p3_login_is_there(&c->login));
    return status;
}

pop3_status pop3_client_submit(pop3_client *c, const pop3_command *command,
                               const pop3_handlers *handlers)
{
    pop3_command taken;
    pop3_handlers h;
    if (c == NULL)
        return POP3_ERR_ARGUMENT;
    if (command == NULL || !p3_import_struct(&taken, sizeof taken, command) ||
        !p3_handlers_import(&h, handlers))
        return p3_error_record_status(c, POP3_ERR_ARGUMENT, "submitting a command",
                                      "no command, or a struct of an unknown size");
    pop3_status status = submit_command(c, &taken, &h);
    if (status != POP3_OK && !p3_error_tells_the_end(c))
        (void)p3_error_record_refusal(c, &taken, status);
    return status;
}

pop3_status pop3_login_start(pop3_client *c, const pop3_login_options *options,
                             const pop3_handlers *handlers)
{
    pop3_login_options o;
    pop3_handlers h;
    if (c == NULL)
        return POP3_ERR_ARGUMENT;
    if (!p3_handlers_import(&h, handlers))
        return p3_error_record_status(c, POP3_ERR_ARGUMENT, "logging in",
                                      "handlers of an unknown size");
    const char *why = p3_login_options_import(&o, options);
    pop3_status status = POP3_ERR_STATE;
    if (why != NULL)
        status = POP3_ERR_ARGUMENT;
    else if (c->phase == P3_PHASE_NONE)
        why = "there is no connection";
    else if (p3_under_way(c) == 0 && pop3_engine_state(c->engine) <= POP3_STATE_AUTHORIZATION)
        status = p3_login_prepare(&c->login, &o, &h);
    if (status != POP3_OK)
        return p3_error_record_status(c, status, "logging in", why);
    if (c->phase == P3_PHASE_READY)
        p3_set_phase(&c->phase,
                     P3_PHASE_LOGIN); /* otherwise it is set when the connection is ready */
    return POP3_OK;
}

/* ---- what is known ---- */

const pop3_login_result *pop3_login_outcome(const pop3_client *c)
{
    return &c->login.outcome;
}

pop3_state pop3_client_state(const pop3_client *c)
{
    return c->phase == P3_PHASE_NONE ? POP3_STATE_DEAD : pop3_engine_state(c->engine);
}

bool pop3_client_is_encrypted(const pop3_client *c)
{
    return c->connection.stream.tls != NULL && c->phase > P3_PHASE_HANDSHAKE;
}

pop3_str pop3_client_greeting(const pop3_client *c)
{
    return pop3_engine_greeting(c->engine);
}

const pop3_capabilities *pop3_client_capabilities(const pop3_client *c)
{
    return pop3_engine_capabilities(c->engine);
}

bool pop3_client_pipelines(const pop3_client *c)
{
    return pop3_engine_pipelines(c->engine);
}

const pop3_server_traits *pop3_client_traits(const pop3_client *c)
{
    return &c->options.traits;
}

uint64_t pop3_client_received(const pop3_client *c)
{
    return c->connection.received;
}

uint64_t pop3_client_answered(const pop3_client *c)
{
    return pop3_engine_answered(c->engine);
}

const pop3_reply *pop3_client_reply(const pop3_client *c)
{
    return &c->reply.reply;
}

uint64_t pop3_client_deletions(const pop3_client *c)
{
    return pop3_engine_deletions(c->engine);
}

const pop3_error *pop3_client_error(const pop3_client *c)
{
    return &c->ending.failure.value;
}
