/* What happens on a connection: events of the engine, moves of the scripts, and the end. */
#include "client/session.h"

#include "client/refusal.h"
#include "client/error.h"
#include "client/trace.h"
#include "core/text.h"

#include <stdio.h>

p3_scene p3_session_scene(const pop3_client *c)
{
    return (p3_scene){c->engine, &c->options, c->ending.place, c->connection.stream.tls};
}

/* ---- the end ---- */

static void disconnect(pop3_client *c, pop3_status ended, bool farewell)
{
    p3_connection_close(&c->connection, farewell);
    p3_set_phase(&c->phase, P3_PHASE_NONE);
    p3_limits_rest(&c->limits);
    p3_ending_close(&c->ending, ended);
    p3_trace_note(&c->options.engine, "closed");
}

void p3_session_lose(pop3_client *c, p3_fault *fault)
{
    char work[64];
    char both[300];
    if (c->came_back != 0 && c->phase <= P3_PHASE_GREETING && fault->status != POP3_ERR_CANCELLED) {
        /* The reason of the loss says more than that the server could not be reached again. */
        snprintf(both, sizeof both, "%s, and could not be reached again to do without: %s",
                 pop3_status_message(POP3_ERR_CLOSED),
                 fault->why != NULL ? fault->why : pop3_status_message(fault->status));
        p3_options_learn(&c->options, 0, c->came_back);
        const char *doing = c->came_back == POP3_TRAIT_NO_APOP               ? "APOP"
                            : c->came_back == POP3_TRAIT_NO_INITIAL_RESPONSE ? "AUTH"
                                                                             : "CAPA";
        *fault = (p3_fault){.status = POP3_ERR_CLOSED, .doing = doing, .why = both};
    }
    if (fault->doing == NULL) {
        p3_error_work(c, work, sizeof work);
        fault->doing = work;
    }
    p3_error_record(c, fault);
    disconnect(c, fault->status, false);
    pop3_engine_fail(c->engine, fault->status);
}

void p3_session_fail(pop3_client *c, p3_fault *fault)
{
    p3_session_lose(c, fault);
    p3_session_dispatch(c);
}

void p3_session_close(pop3_client *c, pop3_status ended, bool farewell)
{
    disconnect(c, ended, farewell);
    if (ended != POP3_OK)
        pop3_engine_fail(c->engine, ended);
    p3_session_dispatch(c);
}

/* The engine found the connection dead; `first` is the first event that reports it, NULL when no
 * command was in flight. The engine's further events end the commands. */
static void engine_died(pop3_client *c, const pop3_event *first)
{
    char doing[64];
    p3_fault fault = {.doing = doing};
    fault.status = pop3_engine_error(c->engine, &fault.why);
    if (first == NULL) {
        fault.doing = p3_error_phase(c);
    } else if (first->status == POP3_OK) { /* a message that was complete before */
        p3_error_work(c, doing, sizeof doing);
    } else if (first->kind != POP3_EVENT_GREETING) {
        p3_describe_command(first->command, first->number, doing, sizeof doing);
    } else {
        fault.doing = "greeting";
        if (fault.status == POP3_ERR_REFUSED) {
            fault.why = NULL;
            fault.refused = POP3_REFUSED_CONNECTION;
            fault.reply = &first->reply;
        }
    }
    p3_error_record(c, &fault);
    disconnect(c, fault.status, false);
}

static void tell_handler(pop3_client *c, const pop3_handlers *h, const pop3_result *result)
{
    if (h->done != NULL)
        h->done(h->ctx, c, result);
}

/* Ends a request. */
static void finish_request(pop3_client *c, p3_request *r, pop3_result *result)
{
    pop3_handlers h = p3_requests_finish(&c->requests, r, result);
    tell_handler(c, &h, result);
}

/* ---- the scripts ---- */

static void follow_move(pop3_client *c, p3_move move);

/* The connection is ready for the caller's commands, or for a login. */
static void be_ready(pop3_client *c)
{
    p3_set_phase(&c->phase, p3_login_waits(&c->login) ? P3_PHASE_LOGIN : P3_PHASE_READY);
    p3_limits_rest(&c->limits);
}

/* Records why a script failed. */
static void note_move(pop3_client *c, const p3_move *move, const char *doing)
{
    bool refused = move->result.status == POP3_ERR_REFUSED && move->result.reply.line.len > 0;
    p3_error_record(c, &(p3_fault){.status = move->result.status,
                                   .doing = doing,
                                   .why = move->why,
                                   .refused = move->refused,
                                   .reply = refused ? &move->result.reply : NULL});
}

/* The upgrade has ended. If the options require it and it failed, the connection ends. */
static void end_upgrade(pop3_client *c, p3_move *move)
{
    p3_request *r = p3_upgrade_finish(&c->upgrade);
    pop3_status status = move->result.status;
    if (status != POP3_OK)
        note_move(c, move, "STLS");
    if (move->result.reply.line.len > 0)
        p3_reply_keep(&c->reply, &move->result.reply);
    if (r == NULL && status != POP3_OK) {
        disconnect(c, status, false);
        pop3_engine_fail(c->engine, status);
        return;
    }
    be_ready(c);
    if (r != NULL)
        finish_request(c, r, &move->result);
}

/* Reports the end of a login. The reply is kept, because the login's memory is freed first. */
static void tell_login(pop3_client *c, p3_move *move)
{
    if (move->failure != NULL)
        p3_ending_set(&c->ending, move->failure);
    p3_reply_keep(&c->reply, &move->result.reply);
    move->result.reply = c->reply.reply;
    pop3_handlers h = p3_login_finish(&c->login);
    tell_handler(c, &h, &move->result);
}

static void end_login(pop3_client *c, p3_move *move)
{
    char doing[100];
    if (move->result.status != POP3_OK && move->failure == NULL) {
        p3_login_describe(&c->login, doing, sizeof doing);
        note_move(c, move, doing);
    }
    be_ready(c);
    tell_login(c, move);
}

/* The connection has ended, and with it the login. */
static void login_lost(pop3_client *c)
{
    if (!p3_login_is_there(&c->login))
        return;
    p3_scene scene = p3_session_scene(c);
    p3_move move = p3_login_lost(&c->login, &scene, c->ending.ended);
    move.result.command = move.failure != NULL ? move.result.command : POP3_CMD_AUTH;
    p3_failure end = c->ending.failure; /* commands in flight will not be answered */
    tell_login(c, &move);
    p3_ending_set(&c->ending, &end);
}

/* The script requests the end of the connection. */
static void end_by_script(pop3_client *c, const p3_move *move)
{
    char doing[100] = "STLS";
    bool wrote;
    (void)p3_connection_send(&c->connection, c->engine, &wrote); /* "*", as a courtesy */
    if (c->phase == P3_PHASE_LOGIN)
        p3_login_describe(&c->login, doing, sizeof doing);
    p3_session_lose(c,
                    &(p3_fault){.status = move->result.status, .doing = doing, .why = move->why});
}

/* An answer to one of the client's own commands. Ignored while the end of the connection is
 * reported. */
static void own_answered(void *ctx, pop3_client *c, const pop3_result *result)
{
    const p3_phase *asked_in = ctx;
    p3_scene scene = p3_session_scene(c);
    if (c->phase != *asked_in)
        return;
    if (c->phase == P3_PHASE_LOGIN)
        follow_move(c, p3_login_next(&c->login, &scene, result));
    else
        follow_move(c, p3_upgrade_next(&c->upgrade, &scene, result));
}

/* Sends one of the client's own commands. */
static pop3_status send_own(pop3_client *c, const pop3_command *command)
{
    static const p3_phase phases[] = {P3_PHASE_UPGRADE, P3_PHASE_LOGIN};
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    handlers.done = own_answered;
    handlers.ctx = (void *)(uintptr_t)&phases[c->phase == P3_PHASE_LOGIN];
    return p3_requests_send(&c->requests, c->engine, command, &handlers);
}

void p3_session_begin_tls(pop3_client *c)
{
    pop3_status status = p3_options_need_tls(&c->options);
    if (status == POP3_OK)
        status = p3_connection_begin_tls(&c->connection, &c->options);
    p3_set_phase(&c->phase, P3_PHASE_HANDSHAKE);
    if (status != POP3_OK)
        p3_session_lose(c, &(p3_fault){.status = status});
}

static void follow_move(pop3_client *c, p3_move move)
{
    while (move.kind == P3_MOVE_SEND) {
        p3_options_learn(&c->options, move.learned, move.unlearned);
        pop3_status status = send_own(c, &move.command);
        p3_scene scene = p3_session_scene(c);
        if (status != POP3_OK)
            move = p3_move_break(status, NULL);
        else if (move.another)
            move = p3_login_next(&c->login, &scene, NULL);
        else
            return;
    }
    p3_options_learn(&c->options, move.learned, move.unlearned);
    if (move.kind == P3_MOVE_SECURE)
        p3_session_begin_tls(c);
    else if (move.kind == P3_MOVE_BREAK)
        end_by_script(c, &move);
    else if (move.kind == P3_MOVE_END && c->phase == P3_PHASE_LOGIN)
        end_login(c, &move);
    else if (move.kind == P3_MOVE_END)
        end_upgrade(c, &move);
}

static void begin_upgrade(pop3_client *c, p3_request *request)
{
    p3_scene scene = p3_session_scene(c);
    p3_set_phase(&c->phase, P3_PHASE_UPGRADE);
    follow_move(c, p3_upgrade_begin(&c->upgrade, request, &scene));
}

void p3_session_tls_done(pop3_client *c)
{
    bool greeted = pop3_engine_state(c->engine) != POP3_STATE_GREETING;
    pop3_engine_tls_started(c->engine);
    p3_set_phase(&c->phase, greeted ? P3_PHASE_UPGRADE : P3_PHASE_GREETING);
    p3_scene scene = p3_session_scene(c);
    if (greeted)
        follow_move(c, p3_upgrade_next(&c->upgrade, &scene, NULL));
}

void p3_session_begin_login(pop3_client *c)
{
    p3_scene scene = p3_session_scene(c);
    p3_limits_await(&c->limits, c->options.timeout_ms);
    follow_move(c, p3_login_next(&c->login, &scene, NULL));
    p3_session_dispatch(c);
}

void p3_session_compute(pop3_client *c)
{
    p3_scene scene = p3_session_scene(c);
    follow_move(c, p3_login_reckon(&c->login, &scene));
    p3_session_dispatch(c);
}

/* ---- the caller's commands ---- */

pop3_status p3_session_check(const pop3_client *c, pop3_command_kind kind)
{
    bool tls = c->connection.stream.tls != NULL;
    switch (kind) {
    case POP3_CMD_PASS: /* would reveal the password to the network */
        return tls || c->options.unix_socket != NULL || c->options.allow_plaintext_password
                   ? POP3_OK
                   : POP3_ERR_INSECURE;
    case POP3_CMD_STLS: /* too late for STLS (RFC 2595 §4) */
        return tls || p3_login_is_there(&c->login) ||
                       pop3_engine_state(c->engine) == POP3_STATE_TRANSACTION
                   ? POP3_ERR_STATE
                   : POP3_OK;
    default:
        return POP3_OK;
    }
}

void p3_session_advance(pop3_client *c)
{
    const pop3_command *command;
    while (c->phase == P3_PHASE_READY && (command = p3_requests_first(&c->requests)) != NULL) {
        bool upgrade = command->kind == POP3_CMD_STLS;
        pop3_result result = {.command = command->kind, .number = command->number};
        result.status = p3_session_check(c, command->kind);
        if ((upgrade || result.status != POP3_OK) && pop3_engine_pending(c->engine) > 0)
            return; /* STLS is sent alone; and everything before a failing command must have ended
                     */
        p3_request *r = p3_requests_take(&c->requests);
        if (upgrade && result.status == POP3_OK) {
            begin_upgrade(c, r);
            continue;
        }
        if (result.status == POP3_OK)
            result.status = p3_requests_pass(c->engine, r);
        if (result.status != POP3_OK)
            finish_request(c, r, &result);
    }
}

/* Ends requests that never reached the engine, with the connection's own end. */
static void drop_waiting(pop3_client *c)
{
    p3_request *r = p3_upgrade_finish(&c->upgrade);
    login_lost(c);
    pop3_result result = {.status = c->ending.ended, .command = POP3_CMD_STLS, .sent = true};
    if (r != NULL)
        finish_request(c, r, &result);
    while ((r = p3_requests_take(&c->requests)) != NULL) {
        result = (pop3_result){.status = c->ending.ended};
        finish_request(c, r, &result);
    }
}

/* ---- the engine's events ---- */

/* A refused QUIT matters if messages were marked as deleted; otherwise it is just a command. */
static pop3_refusal refusal_of(const pop3_client *c, pop3_command_kind command)
{
    bool idle = command == POP3_CMD_QUIT && pop3_engine_deletions(c->engine) == 0;
    return idle ? POP3_REFUSED_COMMAND : p3_refusal_of(command);
}

static void command_over(pop3_client *c, const pop3_event *ev)
{
    pop3_result result = {
        .status = ev->status,
        .command = ev->command,
        .number = ev->number,
        .sent = ev->sent,
        .size = ev->size,
        .reply = ev->reply.line.len > 0 ? ev->reply : c->requests.opening.reply,
        .stat = ev->stat,
        .entry = ev->entry,
    };
    p3_requests_shut(&c->requests);
    if (ev->status == POP3_ERR_REFUSED && c->phase != P3_PHASE_NONE) {
        char doing[32];
        p3_describe_command(ev->command, ev->number, doing, sizeof doing);
        p3_error_record(c, &(p3_fault){.status = ev->status,
                                       .doing = doing,
                                       .refused = refusal_of(c, ev->command),
                                       .reply = &ev->reply});
    }
    if (ev->command == POP3_CMD_CAPA && ev->status == POP3_OK)
        p3_login_note_offer(&c->login, c->engine);
    /* A server that closes the connection at QUIT without a reply did no harm if there was nothing
     * to delete. */
    if (ev->command == POP3_CMD_QUIT && ev->status == POP3_ERR_CLOSED && ev->sent &&
        pop3_engine_deletions(c->engine) == 0) {
        result.status = POP3_OK;
        p3_ending_forgive(&c->ending);
    }
    finish_request(c, ev->tag, &result);
}

static void greeted(pop3_client *c, const pop3_event *ev)
{
    if (ev->status != POP3_OK)
        return; /* the error has been recorded */
    if (c->options.security == POP3_SECURITY_STLS)
        begin_upgrade(c, NULL);
    else
        be_ready(c);
}

static void challenged(pop3_client *c, pop3_str challenge)
{
    p3_scene scene = p3_session_scene(c);
    if (c->phase == P3_PHASE_LOGIN && p3_login_is_there(&c->login))
        follow_move(c, p3_login_challenge(&c->login, &scene, challenge));
}

static void handle(pop3_client *c, const pop3_event *ev)
{
    switch (ev->kind) {
    case POP3_EVENT_GREETING:
        greeted(c, ev);
        break;
    case POP3_EVENT_BODY:
        if (p3_request_body(ev->tag, ev->data) > POP3_SINK_DISCARD && c->phase != P3_PHASE_NONE)
            p3_session_lose(c, &(p3_fault){.status = POP3_ERR_CANCELLED,
                                           .why = "the receiver of the message aborted it"});
        break;
    case POP3_EVENT_ENTRY:
        p3_request_entry(ev->tag, &ev->entry, ev->data);
        break;
    case POP3_EVENT_DONE:
        command_over(c, ev);
        break;
    case POP3_EVENT_REPLY:
        p3_requests_open(&c->requests, &ev->reply);
        break;
    case POP3_EVENT_CHALLENGE:
        challenged(c, ev->data);
        break;
    }
}

/* Whether the engine is dead although the connection is not closed. */
static bool is_dying(const pop3_client *c)
{
    return c->phase != P3_PHASE_NONE && pop3_engine_state(c->engine) == POP3_STATE_DEAD;
}

void p3_session_dispatch(pop3_client *c)
{
    pop3_event ev;
    while (pop3_engine_next(c->engine, &ev)) {
        if (is_dying(c))
            engine_died(c, &ev);
        handle(c, &ev);
    }
    if (is_dying(c))
        engine_died(c, NULL); /* there was no command whose end would have reported it */
    if (c->phase == P3_PHASE_NONE)
        drop_waiting(c);
}
