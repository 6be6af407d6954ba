/* Submitted commands: waiting, handed to the engine, over. */
#include "client/client_state.h"

#include "core/text.h"
#include "core/wipe.h"

#include <stdlib.h>
#include <string.h>

static p3_request *new_request(pop3_client *c, const pop3_handlers *handlers)
{
    p3_request *r = c->spare;
    if (r != NULL) {
        c->spare = r->next;
        *r = (p3_request){0};
    } else {
        r = calloc(1, sizeof *r);
    }
    if (r != NULL && handlers != NULL)
        r->handlers = *handlers;
    return r;
}

static void forget_held(p3_request *r)
{
    if (r->held != NULL)
        p3_wipe_free(r->held, sizeof *r->held + r->held->command.text.len);
    r->held = NULL;
}

static void recycle(pop3_client *c, p3_request *r)
{
    forget_held(r);
    r->next = c->spare;
    c->spare = r;
}

void p3_requests_free(pop3_client *c)
{
    while (c->spare != NULL) {
        p3_request *next = c->spare->next;
        free(c->spare);
        c->spare = next;
    }
}

void p3_tell_done(pop3_client *c, const pop3_handlers *h, const pop3_result *result)
{
    if (h->done == NULL)
        return;
    bool was_inside = c->inside;
    c->inside = true;
    h->done(h->ctx, c, result);
    c->inside = was_inside;
}

void p3_request_over(pop3_client *c, p3_request *r, pop3_result *result)
{
    pop3_handlers h = r->handlers;
    result->octets = r->octets;
    if (r->unwanted && result->status == POP3_OK)
        result->status = POP3_ERR_CANCELLED;
    c->under_way--;
    recycle(c, r);
    p3_tell_done(c, &h, result);
}

/* Ends, with the connection's own end, what was never handed to the engine. */
static void drop_waiting(pop3_client *c)
{
    p3_request *r = c->waiting.first;
    p3_request *upgrading = c->upgrading;
    c->waiting.first = NULL;
    c->waiting.last = &c->waiting.first;
    c->upgrading = NULL;
    p3_login_dropped(c);
    if (upgrading != NULL) {
        pop3_result result = {.status = c->ended, .command = POP3_CMD_STLS, .sent = true};
        p3_request_over(c, upgrading, &result);
    }
    while (r != NULL) {
        p3_request *next = r->next;
        pop3_result result = {
            .status = c->ended,
            .command = r->held->command.kind,
            .number = r->held->command.number,
        };
        p3_request_over(c, r, &result);
        r = next;
    }
}

static void handle_body(pop3_client *c, p3_request *r, pop3_str data)
{
    r->octets += data.len;
    if (r->unwanted || r->handlers.sink == NULL)
        return;
    switch (r->handlers.sink(r->handlers.ctx, data.data, data.len)) {
    case POP3_SINK_CONTINUE:
        break;
    case POP3_SINK_DISCARD:
        r->unwanted = true;
        break;
    default:
        c->aborted = true;
    }
}

void p3_copy_reply(pop3_reply *to, p3_reply_memory *memory, const pop3_reply *from)
{
    *to = (pop3_reply){.ok = from->ok, .code = from->code};
    if (from->line.len == 0)
        return;
    if (from->line.len > memory->size) {
        char *grown = realloc(memory->data, from->line.len);
        if (grown == NULL)
            return;
        *memory = (p3_reply_memory){.data = grown, .size = from->line.len};
    }
    char *copy = memory->data;
    memcpy(copy, from->line.data, from->line.len);
    to->line = p3_span(copy, from->line.len);
    if (from->text.len > 0)
        to->text = p3_span(copy + (from->text.data - from->line.data), from->text.len);
    if (from->code_text.len > 0)
        to->code_text =
            p3_span(copy + (from->code_text.data - from->line.data), from->code_text.len);
}

static void handle_done(pop3_client *c, const pop3_event *ev)
{
    pop3_result result = {
        .status = ev->status,
        .command = ev->command,
        .number = ev->number,
        .sent = ev->sent,
        .size = ev->size,
        .reply = ev->reply.line.len > 0 ? ev->reply : c->opening,
        .stat = ev->stat,
        .entry = ev->entry,
    };
    c->opening = (pop3_reply){0};
    if (ev->status == POP3_ERR_REFUSED && c->phase != P3_PHASE_NONE) {
        char doing[32];
        p3_describe_command(ev->command, ev->number, doing, sizeof doing);
        p3_note_refusal(c, p3_refusal_of(ev->command), doing, pop3_status_message(ev->status),
                        &ev->reply);
    }
    if (ev->command == POP3_CMD_CAPA && ev->status == POP3_OK)
        p3_login_note_offer(c);
    /* Servers that hang up on QUIT without a word did no harm when there was nothing to delete. */
    if (ev->command == POP3_CMD_QUIT && ev->status == POP3_ERR_CLOSED && ev->sent &&
        pop3_engine_deletions(c->engine) == 0) {
        result.status = POP3_OK;
        c->ended = POP3_OK;
        c->failure.value.status = POP3_OK;
        c->failure.value.sys_errno = 0;
        c->failure.message[0] = '\0';
    }
    p3_request_over(c, ev->tag, &result);
}

static void handle_greeting(pop3_client *c, const pop3_event *ev)
{
    if (ev->status != POP3_OK)
        return; /* p3_lost() or p3_fail() has said so */
    if (c->options.security == POP3_SECURITY_STLS)
        p3_upgrade_begin(c, NULL);
    else
        p3_ready(c);
}

static void handle(pop3_client *c, const pop3_event *ev)
{
    p3_request *r = ev->tag;
    switch (ev->kind) {
    case POP3_EVENT_GREETING:
        handle_greeting(c, ev);
        break;
    case POP3_EVENT_BODY:
        handle_body(c, r, ev->data);
        break;
    case POP3_EVENT_ENTRY:
        if (!r->unwanted && r->handlers.entry != NULL)
            r->unwanted = !r->handlers.entry(r->handlers.ctx, &ev->entry, ev->data);
        break;
    case POP3_EVENT_DONE:
        handle_done(c, ev);
        break;
    case POP3_EVENT_REPLY:
        p3_copy_reply(&c->opening, &c->opening_memory, &ev->reply);
        break;
    case POP3_EVENT_CHALLENGE:
        p3_login_challenge(c, ev->data);
        break;
    }
}

void p3_dispatch(pop3_client *c)
{
    pop3_event ev;
    bool was_inside = c->inside;
    c->inside = true;
    while (pop3_engine_next(c->engine, &ev)) {
        if (c->phase != P3_PHASE_NONE && pop3_engine_state(c->engine) == POP3_STATE_DEAD)
            p3_lost(c, &ev);
        handle(c, &ev);
        if (c->aborted) {
            c->aborted = false;
            if (c->phase != P3_PHASE_NONE)
                p3_fail(c, POP3_ERR_CANCELLED, 0, NULL, "the receiver of the message stopped it");
        }
    }
    if (c->phase != P3_PHASE_NONE && pop3_engine_state(c->engine) == POP3_STATE_DEAD)
        p3_lost(c, NULL); /* there was no command whose end would have said so */
    c->inside = was_inside;
    if (c->phase == P3_PHASE_NONE)
        drop_waiting(c);
}

/* Whether a command would show the password to the network. */
static bool is_insecure(const pop3_client *c, pop3_command_kind kind)
{
    return kind == POP3_CMD_PASS && !c->options.allow_plaintext_password && !p3_is_private(c);
}

/* Whether it is too late for STLS (RFC 2595 §4). */
static bool may_not_upgrade(const pop3_client *c)
{
    return c->stream.tls != NULL || c->login != NULL ||
           pop3_client_state(c) == POP3_STATE_TRANSACTION;
}

static pop3_status hand_over(pop3_client *c, p3_request *r, const pop3_command *command)
{
    pop3_command tagged = *command;
    tagged.tag = r;
    return pop3_engine_submit(c->engine, &tagged);
}

pop3_status p3_submit_now(pop3_client *c, const pop3_command *command,
                          const pop3_handlers *handlers)
{
    p3_request *r = new_request(c, handlers);
    if (r == NULL)
        return POP3_ERR_MEMORY;
    pop3_status status = hand_over(c, r, command);
    if (status != POP3_OK) {
        recycle(c, r);
        return status;
    }
    c->under_way++;
    return POP3_OK;
}

/* Puts a command at the end of those that wait. */
static pop3_status submit_later(pop3_client *c, const pop3_command *command,
                                const pop3_handlers *handlers)
{
    p3_request *r = new_request(c, handlers);
    if (r == NULL)
        return POP3_ERR_MEMORY;
    r->held = malloc(sizeof *r->held + command->text.len);
    if (r->held == NULL) {
        recycle(c, r);
        return POP3_ERR_MEMORY;
    }
    r->held->command = *command;
    if (command->text.len > 0) {
        memcpy(r->held->text, command->text.data, command->text.len);
        r->held->command.text.data = r->held->text;
    }
    *c->waiting.last = r;
    c->waiting.last = &r->next;
    c->under_way++;
    return POP3_OK;
}

pop3_status pop3_client_submit(pop3_client *c, const pop3_command *command,
                               const pop3_handlers *handlers)
{
    if (c == NULL || command == NULL || command->size != sizeof *command ||
        (handlers != NULL && handlers->size != sizeof *handlers))
        return POP3_ERR_ARGUMENT;
    if (command->kind == POP3_CMD_AUTH)
        return POP3_ERR_ARGUMENT;
    pop3_status status = pop3_command_check(command);
    if (status != POP3_OK)
        return status;
    if (c->phase == P3_PHASE_NONE || c->quit)
        return POP3_ERR_STATE;
    bool straight = c->phase == P3_PHASE_READY && c->waiting.first == NULL;
    if (straight && is_insecure(c, command->kind))
        return POP3_ERR_INSECURE;
    if (command->kind == POP3_CMD_STLS) {
        const pop3_capabilities *caps = pop3_client_capabilities(c);
        if (may_not_upgrade(c))
            return POP3_ERR_STATE;
        if (straight && caps != NULL && (caps->flags & POP3_CAP_STLS) == 0)
            return POP3_ERR_NOT_OFFERED;
    }
    bool now = straight && command->kind != POP3_CMD_STLS;
    status = now ? p3_submit_now(c, command, handlers) : submit_later(c, command, handlers);
    if (status != POP3_OK)
        return status;
    c->quit = command->kind == POP3_CMD_QUIT;
    /* CAPA changes nothing, and a login on another connection asks again. */
    c->used = c->used || (c->login == NULL && command->kind != POP3_CMD_CAPA);
    if (!c->inside)
        c->more = true; /* within a step there is another round anyway */
    return POP3_OK;
}

void p3_requests_advance(pop3_client *c)
{
    while (c->phase == P3_PHASE_READY && c->waiting.first != NULL) {
        p3_request *r = c->waiting.first;
        pop3_command_kind kind = r->held->command.kind;
        uint32_t number = r->held->command.number;
        bool upgrade = kind == POP3_CMD_STLS;
        if (upgrade && pop3_engine_pending(c->engine) > 0)
            return; /* STLS goes alone, when all before it is over */
        c->waiting.first = r->next;
        if (c->waiting.first == NULL)
            c->waiting.last = &c->waiting.first;
        r->next = NULL;
        if (upgrade && !may_not_upgrade(c)) {
            p3_upgrade_begin(c, r);
            continue;
        }
        pop3_status status = POP3_OK;
        if (upgrade)
            status = POP3_ERR_STATE;
        else if (is_insecure(c, kind))
            status = POP3_ERR_INSECURE;
        else
            status = hand_over(c, r, &r->held->command);
        forget_held(r);
        if (status != POP3_OK) {
            pop3_result result = {
                .status = status,
                .command = kind,
                .number = number,
            };
            p3_request_over(c, r, &result);
        }
    }
}

void p3_requests_forget(pop3_client *c)
{
    pop3_event ev;
    pop3_engine_fail(c->engine, POP3_ERR_CANCELLED);
    while (pop3_engine_next(c->engine, &ev)) {
        if (ev.kind != POP3_EVENT_DONE || ev.tag == NULL)
            continue;
        c->under_way--;
        recycle(c, ev.tag);
    }
    c->opening = (pop3_reply){0};
}

void p3_keep_reply(pop3_client *c, const pop3_reply *reply)
{
    p3_copy_reply(&c->reply, &c->reply_memory, reply);
}
