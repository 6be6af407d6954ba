/* Submitted commands: waiting, in the engine, ended. */
#include "client/requests.h"

#include "core/sized.h"
#include "core/wipe.h"

#include <stdlib.h>
#include <string.h>

/* A command that is not in the engine yet. */
typedef struct p3_held_command {
    pop3_command command; /* its argument points to `text` */
    char text[];          /* command.text.len octets, wiped when freed */
} p3_held_command;

struct p3_request {
    p3_request *next;      /* in the list of waiting or of reusable requests */
    p3_held_command *held; /* until the engine has it; then NULL */
    pop3_handlers handlers;
    uint64_t octets; /* passed to the sink */
    bool unwanted;   /* the sink or entry handler wants no more of it */
};

void p3_requests_init(p3_requests *q)
{
    *q = (p3_requests){0};
    q->last = &q->first;
}

void p3_requests_begin(p3_requests *q)
{
    q->fresh = q->quit = q->used = false;
    p3_reply_forget(&q->opening);
}

bool p3_handlers_import(pop3_handlers *to, const pop3_handlers *from)
{
    *to = (pop3_handlers)POP3_HANDLERS_INIT;
    return from == NULL || p3_import_struct(to, sizeof *to, from);
}

static p3_request *new_request(p3_requests *q, const pop3_handlers *handlers)
{
    p3_request *r = q->spare;
    if (r != NULL) {
        q->spare = r->next;
        *r = (p3_request){0};
    } else {
        r = calloc(1, sizeof *r);
    }
    if (r != NULL)
        r->handlers = *handlers;
    return r;
}

static void forget_held(p3_request *r)
{
    if (r->held != NULL)
        p3_wipe_free(r->held, sizeof *r->held + r->held->command.text.len);
    r->held = NULL;
}

static void recycle(p3_requests *q, p3_request *r)
{
    forget_held(r);
    r->next = q->spare;
    q->spare = r;
}

static pop3_status submit_request(pop3_engine *engine, p3_request *r, const pop3_command *command)
{
    pop3_command tagged = *command;
    tagged.tag = r;
    return pop3_engine_submit(engine, &tagged);
}

pop3_status p3_requests_send(p3_requests *q, pop3_engine *engine, const pop3_command *command,
                             const pop3_handlers *handlers)
{
    p3_request *r = new_request(q, handlers);
    if (r == NULL)
        return POP3_ERR_MEMORY;
    pop3_status status = submit_request(engine, r, command);
    if (status != POP3_OK)
        recycle(q, r);
    else
        q->under_way++;
    return status;
}

pop3_status p3_requests_hold(p3_requests *q, const pop3_command *command,
                             const pop3_handlers *handlers)
{
    p3_request *r = new_request(q, handlers);
    if (r == NULL)
        return POP3_ERR_MEMORY;
    r->held = malloc(sizeof *r->held + command->text.len);
    if (r->held == NULL) {
        recycle(q, r);
        return POP3_ERR_MEMORY;
    }
    r->held->command = *command;
    if (command->text.len > 0) {
        memcpy(r->held->text, command->text.data, command->text.len);
        r->held->command.text.data = r->held->text;
    }
    *q->last = r;
    q->last = &r->next;
    q->under_way++;
    return POP3_OK;
}

void p3_requests_note(p3_requests *q, pop3_command_kind kind, bool behind_login)
{
    q->fresh = true;
    q->quit = kind == POP3_CMD_QUIT;
    /* CAPA changes nothing, and a login on another connection sends it again. */
    q->used = q->used || (!behind_login && kind != POP3_CMD_CAPA);
}

void p3_requests_seen(p3_requests *q)
{
    q->fresh = false;
}

const pop3_command *p3_requests_first(const p3_requests *q)
{
    return q->first != NULL ? &q->first->held->command : NULL;
}

p3_request *p3_requests_take(p3_requests *q)
{
    p3_request *r = q->first;
    if (r == NULL)
        return NULL;
    q->first = r->next;
    if (q->first == NULL)
        q->last = &q->first;
    r->next = NULL;
    return r;
}

pop3_status p3_requests_pass(pop3_engine *engine, p3_request *r)
{
    pop3_status status = submit_request(engine, r, &r->held->command);
    forget_held(r);
    return status;
}

pop3_sink_result p3_request_body(p3_request *r, pop3_str data)
{
    r->octets += data.len;
    if (r->unwanted || r->handlers.sink == NULL)
        return POP3_SINK_CONTINUE;
    pop3_sink_result wants = r->handlers.sink(r->handlers.ctx, data.data, data.len);
    r->unwanted = wants == POP3_SINK_DISCARD;
    return wants;
}

void p3_request_entry(p3_request *r, const pop3_entry *entry, pop3_str line)
{
    if (!r->unwanted && r->handlers.entry != NULL)
        r->unwanted = !r->handlers.entry(r->handlers.ctx, entry, line);
}

void p3_requests_open(p3_requests *q, const pop3_reply *reply)
{
    p3_reply_keep(&q->opening, reply);
}

void p3_requests_shut(p3_requests *q)
{
    p3_reply_forget(&q->opening);
}

pop3_handlers p3_requests_finish(p3_requests *q, p3_request *r, pop3_result *result)
{
    pop3_handlers handlers = r->handlers;
    result->octets = r->octets;
    if (r->held != NULL) { /* it never reached the engine */
        result->command = r->held->command.kind;
        result->number = r->held->command.number;
    }
    if (r->unwanted && result->status == POP3_OK)
        result->status = POP3_ERR_CANCELLED;
    q->under_way--;
    recycle(q, r);
    return handlers;
}

void p3_requests_forget(p3_requests *q, pop3_engine *engine)
{
    pop3_event ev;
    pop3_engine_fail(engine, POP3_ERR_CANCELLED);
    while (pop3_engine_next(engine, &ev)) {
        if (ev.kind != POP3_EVENT_DONE || ev.tag == NULL)
            continue;
        q->under_way--;
        recycle(q, ev.tag);
    }
    p3_reply_forget(&q->opening);
}

void p3_requests_free(p3_requests *q)
{
    while (q->spare != NULL) {
        p3_request *next = q->spare->next;
        free(q->spare);
        q->spare = next;
    }
    p3_reply_free(&q->opening);
}
