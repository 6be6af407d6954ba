/* The blocking calls: the step in a loop over poll(2), one command at a time. */
#include "client/blocking.h"

#include "auth/apop.h"
#include "core/text.h"
#include "core/wipe.h"
#include "client/login_options.h"
#include "client/error.h"
#include "client/step.h"
#include "io/clock.h"
#include "system/processors.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* Microseconds for which a call polls before it sleeps. */
#define P3_LOOK_US 50

/* Polls for a moment. */
static bool look_for_octets(pop3_client *c, struct pollfd *fds, nfds_t n)
{
    int ready = poll(fds, n, 0);
    bool soon = true;
    int64_t until = ready == 0 ? p3_now_us() + c->look_us : 0;
    while (ready == 0 && soon) {
        ready = poll(fds, n, 0);
        soon = p3_now_us() < until; /* on a busy machine other processes may have run in between */
    }
    p3_busy_wait_over(&c->busy_wait, ready != 0 && soon);
    return ready != 0;
}

/* While a window is in flight the line is busy, and polling gains nothing. With one processor it
 * would only keep the server from answering. */
static bool is_worth_a_look(pop3_client *c)
{
    if (c->look_us == 0)
        c->look_us = p3_has_one_processor() ? -1 : P3_LOOK_US;
    return c->look_us > 0 && p3_under_way(c) == 1 && p3_busy_wait_is_due(&c->busy_wait);
}

static void wait_for(pop3_client *c)
{
    pop3_waitable waits[POP3_MAX_WAITABLES];
    struct pollfd fds[POP3_MAX_WAITABLES];
    size_t n = pop3_client_waitables(c, waits, POP3_MAX_WAITABLES);
    for (size_t i = 0; i < n; i++) {
        short events = (short)((waits[i].read ? POLLIN : 0) | (waits[i].write ? POLLOUT : 0));
        fds[i] = (struct pollfd){.fd = waits[i].fd, .events = events};
    }
    int most = pop3_client_deadline(c);
    if (most != 0 && is_worth_a_look(c)) {
        if (look_for_octets(c, fds, (nfds_t)n))
            return;
        most = pop3_client_deadline(c);
    }
    (void)poll(fds, (nfds_t)n, most); /* EINTR: step, and wait again */
}

pop3_status p3_call_begin(pop3_client *c, const char *doing)
{
    if (c->inside)
        return p3_error_record_impossible(c, doing);
    p3_reply_forget(&c->reply);
    return p3_ending_call_begin(&c->ending);
}

/* Waits until commands can be sent. */
static pop3_status connected(pop3_client *c)
{
    while (c->phase != P3_PHASE_READY) {
        pop3_status status = pop3_client_step(c);
        if (c->phase == P3_PHASE_NONE)
            return status;
        if (c->phase != P3_PHASE_READY)
            wait_for(c);
    }
    return POP3_OK;
}

pop3_status pop3_client_connect(pop3_client *c)
{
    pop3_status status = pop3_client_start(c);
    return status != POP3_OK ? status : connected(c);
}

pop3_status pop3_client_run(pop3_client *c)
{
    if (c->inside)
        return p3_error_record_impossible(c, "waiting for the commands");
    pop3_status status;
    while ((status = pop3_client_step(c)) == POP3_PENDING)
        wait_for(c);
    return status;
}

/* A blocking command in progress. */
typedef struct p3_call {
    bool over;
    pop3_status status;
    pop3_stat stat;
    pop3_entry entry; /* uid is in the client's copy of the reply */
    pop3_sink_fn sink;
    pop3_entry_fn on_entry;
    void *ctx; /* for the two above */
} p3_call;

static pop3_sink_result call_sink(void *ctx, const char *data, size_t len)
{
    p3_call *call = ctx;
    return call->sink(call->ctx, data, len);
}

static bool call_entry(void *ctx, const pop3_entry *entry, pop3_str line)
{
    p3_call *call = ctx;
    return call->on_entry(call->ctx, entry, line);
}

static void call_done(void *ctx, pop3_client *c, const pop3_result *result)
{
    p3_call *call = ctx;
    pop3_str line = result->reply.line;
    p3_reply_keep(&c->reply, &result->reply);
    call->over = true;
    call->status = result->status;
    call->stat = result->stat;
    call->entry = result->entry;
    if (call->entry.uid.len > 0 && c->reply.reply.line.len > 0)
        call->entry.uid.data = c->reply.reply.line.data + (call->entry.uid.data - line.data);
    else if (call->entry.uid.len > 0)
        call->status = p3_error_record_status(
            c, POP3_ERR_MEMORY, pop3_command_name(result->command), "out of memory for the reply");
    p3_ending_call_over(&c->ending, call->status);
}

/* Steps until a call has ended. */
static void wait_until(pop3_client *c, const bool *over, const pop3_status *status)
{
    while (!*over) {
        (void)pop3_client_step(c); /* its result is in the call */
        if (!*over)
            wait_for(c);
    }
    p3_ending_call_end(&c->ending, *status, c->phase != P3_PHASE_NONE);
}

/* Submits a command and steps until it has ended. */
static pop3_status perform_command(pop3_client *c, const pop3_command *command, p3_call *call)
{
    pop3_status status = p3_call_begin(c, pop3_command_name(command->kind));
    if (status != POP3_OK)
        return status;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    handlers.sink = call->sink != NULL ? call_sink : NULL;
    handlers.entry = call->on_entry != NULL ? call_entry : NULL;
    handlers.done = call_done;
    handlers.ctx = call;
    status = pop3_client_submit(c, command, &handlers);
    if (status != POP3_OK)
        return p3_error_record_refusal(c, command, status);
    wait_until(c, &call->over, &call->status);
    if (call->status == POP3_ERR_CANCELLED && c->phase != P3_PHASE_NONE)
        return p3_error_record_status(c, call->status, pop3_command_name(command->kind),
                                      "the receiver discarded the rest of it");
    if (call->status == POP3_ERR_INSECURE || call->status == POP3_ERR_STATE)
        return p3_error_record_refusal(c, command, call->status);
    return call->status;
}

static pop3_command command_of(pop3_command_kind kind)
{
    pop3_command command = POP3_COMMAND_INIT;
    command.kind = kind;
    return command;
}

/* A command without parameters. */
static pop3_status simple(pop3_client *c, pop3_command_kind kind)
{
    pop3_command command = command_of(kind);
    p3_call call = {0};
    return perform_command(c, &command, &call);
}

/* A command with a text argument. */
static pop3_status with_text(pop3_client *c, pop3_command_kind kind, const char *text)
{
    pop3_command command = command_of(kind);
    p3_call call = {0};
    if (text == NULL)
        return p3_error_record_refusal(c, &command, POP3_ERR_ARGUMENT);
    command.text = p3_span(text, strlen(text));
    return perform_command(c, &command, &call);
}

/* A command whose answer is a listing. */
static pop3_status listing(pop3_client *c, pop3_command_kind kind, const char *text,
                           pop3_entry_fn entry, void *ctx)
{
    pop3_command command = command_of(kind);
    p3_call call = {.on_entry = entry, .ctx = ctx};
    if (text != NULL)
        command.text = p3_span(text, strlen(text));
    return perform_command(c, &command, &call);
}

/* LIST or UIDL of one message. */
static pop3_status one_entry(pop3_client *c, pop3_command_kind kind, uint32_t number,
                             pop3_entry *entry)
{
    pop3_command command = command_of(kind);
    command.number = number;
    p3_call call = {0};
    pop3_status status = perform_command(c, &command, &call);
    if (status == POP3_OK && entry != NULL)
        *entry = call.entry;
    return status;
}

pop3_status pop3_client_capa(pop3_client *c, const pop3_capabilities **caps)
{
    pop3_status status = simple(c, POP3_CMD_CAPA);
    if (caps != NULL)
        *caps = status == POP3_OK ? pop3_client_capabilities(c) : NULL;
    return status;
}

pop3_status pop3_client_user(pop3_client *c, const char *user)
{
    return with_text(c, POP3_CMD_USER, user);
}

pop3_status pop3_client_pass(pop3_client *c, const char *password)
{
    return with_text(c, POP3_CMD_PASS, password);
}

pop3_status pop3_client_apop(pop3_client *c, const char *user, const char *secret)
{
    pop3_command command = command_of(POP3_CMD_APOP);
    p3_call call = {0};
    if (user == NULL || secret == NULL || user[0] == '\0')
        return p3_error_record_refusal(c, &command, POP3_ERR_ARGUMENT);
    if (c->phase == P3_PHASE_NONE)
        return perform_command(c, &command, &call); /* which returns the error */
    pop3_status status = connected(c);
    if (status != POP3_OK)
        return status;
    pop3_str timestamp = pop3_engine_timestamp(c->engine);
    if (timestamp.len == 0)
        return p3_error_record_status(
            c, POP3_ERR_NOT_OFFERED, "APOP",
            "the greeting has no timestamp, so the server does not offer it");
    size_t len = strlen(user);
    size_t size = len + 1 + P3_APOP_DIGEST;
    char *text = malloc(size);
    status = POP3_ERR_MEMORY;
    if (text != NULL)
        status = p3_apop_digest(timestamp, secret, text + len + 1);
    if (status != POP3_OK) {
        free(text);
        return status == POP3_ERR_NOT_OFFERED
                   ? p3_error_record_status(c, status, "APOP",
                                            "this build has no MD5, which it needs")
                   : p3_error_record_refusal(c, &command, status);
    }
    memcpy(text, user, len);
    text[len] = ' ';
    command.text = p3_span(text, size);
    status = perform_command(c, &command, &call);
    p3_wipe_free(text, size);
    return status;
}

pop3_status pop3_client_rpop(pop3_client *c, const char *user)
{
    return with_text(c, POP3_CMD_RPOP, user);
}

pop3_status pop3_client_stls(pop3_client *c)
{
    return simple(c, POP3_CMD_STLS);
}

pop3_status pop3_client_utf8(pop3_client *c)
{
    return simple(c, POP3_CMD_UTF8);
}

pop3_status pop3_client_lang(pop3_client *c, const char *tag)
{
    return with_text(c, POP3_CMD_LANG, tag);
}

pop3_status pop3_client_lang_list(pop3_client *c, pop3_entry_fn entry, void *ctx)
{
    return listing(c, POP3_CMD_LANG_LIST, NULL, entry, ctx);
}

pop3_status pop3_client_stat(pop3_client *c, pop3_stat *stat)
{
    pop3_command command = command_of(POP3_CMD_STAT);
    p3_call call = {0};
    pop3_status status = perform_command(c, &command, &call);
    if (status == POP3_OK && stat != NULL)
        *stat = call.stat;
    return status;
}

pop3_status pop3_client_list(pop3_client *c, pop3_entry_fn entry, void *ctx)
{
    return listing(c, POP3_CMD_LIST, NULL, entry, ctx);
}

pop3_status pop3_client_list_one(pop3_client *c, uint32_t number, pop3_entry *entry)
{
    return one_entry(c, POP3_CMD_LIST_ONE, number, entry);
}

pop3_status pop3_client_uidl(pop3_client *c, pop3_entry_fn entry, void *ctx)
{
    return listing(c, POP3_CMD_UIDL, NULL, entry, ctx);
}

pop3_status pop3_client_uidl_one(pop3_client *c, uint32_t number, pop3_entry *entry)
{
    return one_entry(c, POP3_CMD_UIDL_ONE, number, entry);
}

pop3_status pop3_client_retr(pop3_client *c, uint32_t number, pop3_sink_fn sink, void *ctx)
{
    pop3_command command = command_of(POP3_CMD_RETR);
    p3_call call = {.sink = sink, .ctx = ctx};
    command.number = number;
    return perform_command(c, &command, &call);
}

pop3_status pop3_client_top(pop3_client *c, uint32_t number, uint32_t lines, pop3_sink_fn sink,
                            void *ctx)
{
    pop3_command command = command_of(POP3_CMD_TOP);
    p3_call call = {.sink = sink, .ctx = ctx};
    command.number = number;
    command.lines = lines;
    return perform_command(c, &command, &call);
}

pop3_status pop3_client_dele(pop3_client *c, uint32_t number)
{
    pop3_command command = command_of(POP3_CMD_DELE);
    p3_call call = {0};
    command.number = number;
    return perform_command(c, &command, &call);
}

pop3_status pop3_client_rset(pop3_client *c)
{
    return simple(c, POP3_CMD_RSET);
}

pop3_status pop3_client_noop(pop3_client *c)
{
    return simple(c, POP3_CMD_NOOP);
}

pop3_status pop3_client_raw(pop3_client *c, const char *line)
{
    return with_text(c, POP3_CMD_RAW, line);
}

pop3_status pop3_client_raw_list(pop3_client *c, const char *line, pop3_entry_fn entry, void *ctx)
{
    pop3_command command = command_of(POP3_CMD_RAW_LIST);
    if (line == NULL)
        return p3_error_record_refusal(c, &command, POP3_ERR_ARGUMENT);
    return listing(c, POP3_CMD_RAW_LIST, line, entry, ctx);
}

pop3_status pop3_client_quit(pop3_client *c)
{
    if (c->inside)
        return p3_error_record_impossible(c, "QUIT");
    pop3_status status = simple(c, POP3_CMD_QUIT);
    p3_step_close(c, NULL); /* if QUIT could not even be submitted */
    return status;
}

/* ---- logging in ---- */

static void login_over(void *ctx, pop3_client *c, const pop3_result *result)
{
    p3_call *call = ctx;
    call->over = true;
    call->status = result->status;
    p3_ending_call_over(&c->ending, call->status);
}

pop3_status pop3_login(pop3_client *c, const pop3_login_options *options)
{
    p3_call call = {0};
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    handlers.done = login_over;
    handlers.ctx = &call;
    pop3_status status = p3_call_begin(c, "logging in");
    if (status != POP3_OK)
        return status;
    status = pop3_login_start(c, options, &handlers);
    if (status != POP3_OK)
        return status;
    wait_until(c, &call.over, &call.status);
    return call.status;
}
