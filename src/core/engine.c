/* The engine's public interface, and its output: which commands are sent, and when. */
#include "core/engine_state.h"

#include "core/builder.h"
#include "core/commands.h"
#include "core/sized.h"
#include "core/text.h"
#include "core/values.h"
#include "core/wipe.h"

#include <stdlib.h>
#include <string.h>

/* Commands in flight: this many at first, twice as many when that many have been answered, and so
 * on; and the octets of their lines, which fit into one write and the server's buffers. */
#define P3_FIRST_WINDOW   1024
#define P3_LAST_WINDOW    4096
#define P3_MAX_UNANSWERED 65536

static bool fill_defaults(pop3_engine_options *o)
{
    pop3_limits *l = &o->limits;
    if (l->reply_line == 0)
        l->reply_line = 8192;
    if (l->entries == 0)
        l->entries = 10000000;
    if (l->capabilities == 0)
        l->capabilities = 256;
    if (l->message_octets == 0)
        l->message_octets = UINT64_MAX;
    if (l->challenges == 0)
        l->challenges = 16;
    if (o->max_in_flight == 0)
        o->max_in_flight = P3_LAST_WINDOW;
    return l->reply_line >= 512 && o->pipelining >= POP3_PIPELINING_AUTO &&
           o->pipelining <= POP3_PIPELINING_OFF;
}

pop3_status pop3_engine_new(pop3_engine **out, const pop3_engine_options *options)
{
    if (out == NULL)
        return POP3_ERR_ARGUMENT;
    *out = NULL;
    pop3_engine_options o = POP3_ENGINE_OPTIONS_INIT;
    if ((options != NULL && !p3_import_struct(&o, sizeof o, options)) || !fill_defaults(&o))
        return POP3_ERR_ARGUMENT;
    pop3_engine *e = calloc(1, sizeof *e);
    if (e == NULL)
        return POP3_ERR_MEMORY;
    e->options = o;
    e->echo_at = SIZE_MAX;
    e->window = o.max_in_flight < P3_FIRST_WINDOW ? o.max_in_flight : P3_FIRST_WINDOW;
    if (!p3_line_init(&e->line, o.limits.reply_line)) {
        free(e);
        return POP3_ERR_MEMORY;
    }
    *out = e;
    return POP3_OK;
}

void pop3_engine_free(pop3_engine *e)
{
    if (e == NULL)
        return;
    if (e->held_set)
        p3_queued_clear(&e->held);
    p3_queue_free(&e->queue);
    p3_output_free(&e->output);
    p3_line_free(&e->line);
    p3_caps_clear(&e->caps);
    free(e->greeting);
    p3_wipe_free(e, sizeof *e);
}

void p3_engine_trace(const pop3_engine *e, int level, pop3_trace_kind kind, pop3_str s)
{
    if (e->options.trace != NULL && e->options.trace_level >= level)
        e->options.trace(e->options.trace_ctx, kind, s.data, s.len);
}

void p3_engine_die(pop3_engine *e, pop3_status status, const char *why, pop3_str excerpt)
{
    if (e->state == POP3_STATE_DEAD)
        return;
    e->state = POP3_STATE_DEAD;
    e->error = status;
    p3_text t = p3_text_begin(e->detail, sizeof e->detail);
    p3_text_add(&t, why);
    if (excerpt.len > 0) {
        p3_text_add(&t, ": \"");
        p3_text_add_printable(&t, excerpt, 60);
        p3_text_add(&t, "\"");
    }
    e->in = e->in_end = NULL;
    e->have_ready = false;
    e->wants_tls = false;
    e->auth_waits = false;
    p3_output_sent(&e->output, p3_output_waiting(&e->output));
}

void p3_engine_forget_capabilities(pop3_engine *e)
{
    e->caps_known = false;
    e->caps_refused = false;
}

pop3_status pop3_engine_submit(pop3_engine *e, const pop3_command *command)
{
    pop3_command taken;
    pop3_status status = e == NULL ? POP3_ERR_ARGUMENT : p3_command_import(&taken, command);
    if (status != POP3_OK)
        return status;
    if (e->quit || e->state >= POP3_STATE_UPDATE)
        return POP3_ERR_STATE;
    const p3_command_row *row = p3_command_about(taken.kind);
    if (row->effect == P3_EFFECT_TLS && (e->tls || e->state == POP3_STATE_TRANSACTION))
        return POP3_ERR_STATE; /* RFC 2595 §4 */
    if (e->upgrades > 0 && row->secrecy != P3_SECRECY_NONE)
        return POP3_ERR_STATE; /* it would be sent unprotected if STLS is refused */
    p3_queued queued;
    status = p3_command_copy(&queued, &taken);
    if (status != POP3_OK)
        return status;
    if (!p3_queue_push(&e->queue, &queued)) {
        p3_queued_clear(&queued);
        return POP3_ERR_MEMORY;
    }
    e->quit = row->effect == P3_EFFECT_END;
    if (row->effect == P3_EFFECT_TLS)
        e->upgrades++;
    return POP3_OK;
}

/* Whether one command may follow another in the same window. */
static bool may_follow(const p3_queued *c, const p3_queued *next)
{
    return p3_command_about(c->kind)->window == P3_WINDOW_SHARED &&
           p3_command_about(next->kind)->window != P3_WINDOW_ALONE;
}

bool pop3_engine_waits_for_late_capa(const pop3_engine *e)
{
    return e->late_capa;
}

uint64_t pop3_engine_answered(const pop3_engine *e)
{
    return e->answers;
}

bool pop3_engine_pipelines(const pop3_engine *e)
{
    switch (e->options.pipelining) {
    case POP3_PIPELINING_ON:
        return true;
    case POP3_PIPELINING_OFF:
        return false;
    default:
        return e->announced;
    }
}

/* Whether CAPA is worthwhile: waiting commands may share a window, or may not any more. It costs a
 * round trip, or none if PIPELINING was announced before the login, because the commands are sent
 * with it. */
static bool should_ask_capabilities(const pop3_engine *e)
{
    if (e->options.pipelining != POP3_PIPELINING_AUTO || e->state != POP3_STATE_TRANSACTION ||
        e->caps_known || e->caps_refused || e->held_set || e->queue.count < 2 ||
        e->options.max_in_flight < 2 || e->options.no_late_capa)
        return false;
    const p3_queued *first = p3_queue_at(&e->queue, 0);
    return first->kind != POP3_CMD_CAPA && may_follow(first, p3_queue_at(&e->queue, 1));
}

/* Whether the next waiting command may be rendered in addition to those in flight. */
static bool may_send_next(const pop3_engine *e)
{
    if (e->in_flight == 0)
        return true;
    if (e->held_set && e->wanted == P3_PROOF_ALONE)
        return false; /* the NOOP proves nothing with another command in flight */
    return e->in_flight < e->window && e->in_flight_octets < P3_MAX_UNANSWERED &&
           pop3_engine_pipelines(e) &&
           may_follow(p3_queue_at(&e->queue, e->in_flight - 1),
                      p3_queue_at(&e->queue, e->in_flight));
}

void p3_engine_answered(pop3_engine *e, const p3_queued *command)
{
    e->in_flight--;
    e->in_flight_octets -= command->sent;
    e->late_capa = e->late_capa && command->kind == POP3_CMD_CAPA && e->caps_refused;
    if (++e->answered < e->window)
        return;
    e->answered = 0;
    e->window *= 2;
    if (e->window > e->options.max_in_flight)
        e->window = e->options.max_in_flight;
}

/* How many responses a client must send before a server can accept it: LOGIN has two, the name and
 * the password, every other mechanism at least one. */
static unsigned responses_due(const p3_queued *auth)
{
    pop3_str rest = p3_span(auth->text, auth->text_len);
    pop3_str mechanism = p3_parse_word(&rest);
    return (p3_equals_nocase(mechanism, "LOGIN") ? 2u : 1u) - (rest.len > 0 ? 1u : 0u);
}

static void render(pop3_engine *e, p3_queued *command)
{
    pop3_str line;
    size_t public_len;
    if (!p3_command_render(&e->output, command, &line, &public_len)) {
        p3_engine_die(e, POP3_ERR_MEMORY, "out of memory for a command", p3_span(NULL, 0));
        return;
    }
    command->sent = line.len;
    const p3_command_row *row = p3_command_about(command->kind);
    if (command->kind == POP3_CMD_CAPA && e->state == POP3_STATE_TRANSACTION)
        e->late_capa = true;
    if (row->argument == P3_ARGUMENT_MECHANISM)
        e->unsaid = responses_due(command);
    e->in_flight++;
    e->in_flight_octets += line.len;
    if (e->options.trace == NULL || e->options.trace_level < 1)
        return;
    if (row->secrecy == P3_SECRECY_NONE) {
        p3_engine_trace(e, 1, POP3_TRACE_SENT, line);
        return;
    }
    char shown[16]; /* "PASS ***" also for an empty password, because that is a secret as well */
    p3_text t = p3_text_begin(shown, sizeof shown);
    p3_text_add_printable(&t, p3_span(line.data, public_len), public_len);
    p3_text_add(&t, "***");
    p3_engine_trace(e, 1, POP3_TRACE_SENT, p3_span(shown, strlen(shown)));
}

/* A window that is more than half full is left alone, so that it is refilled by one write and not
 * by one for each reply. */
static bool is_half_full(const pop3_engine *e)
{
    return e->in_flight > 1 &&
           (e->in_flight > e->window / 2 || e->in_flight_octets > P3_MAX_UNANSWERED / 2);
}

/* Renders as many commands as may be sent. */
static void pump(pop3_engine *e)
{
    if (e->state == POP3_STATE_GREETING || e->state >= POP3_STATE_UPDATE || e->wants_tls)
        return;
    if (is_half_full(e))
        return;
    while (e->state != POP3_STATE_DEAD && e->queue.count > e->in_flight && may_send_next(e)) {
        if (e->in_flight == 0 && should_ask_capabilities(e)) {
            p3_queued capa = {.kind = POP3_CMD_CAPA, .internal = true};
            if (!p3_queue_push_front(&e->queue, &capa)) {
                p3_engine_die(e, POP3_ERR_MEMORY, "out of memory for CAPA", p3_span(NULL, 0));
                return;
            }
        }
        render(e, p3_queue_at(&e->queue, e->in_flight));
    }
}

const char *pop3_engine_output(pop3_engine *e, size_t *len)
{
    pump(e);
    *len = p3_output_waiting(&e->output);
    return e->output.data == NULL ? "" : e->output.data + e->output.start;
}

void pop3_engine_sent(pop3_engine *e, size_t len)
{
    size_t waiting = p3_output_waiting(&e->output);
    p3_output_sent(&e->output, len < waiting ? len : waiting);
}

pop3_status pop3_engine_feed(pop3_engine *e, const char *data, size_t len)
{
    if (e == NULL || (data == NULL && len > 0))
        return POP3_ERR_ARGUMENT;
    if (e->in != e->in_end || e->have_ready)
        return POP3_ERR_STATE;
    if (e->state == POP3_STATE_DEAD || len == 0)
        return POP3_OK;
    e->in = data;
    e->in_end = data + len;
    return POP3_OK;
}

void pop3_engine_fail(pop3_engine *e, pop3_status status)
{
    if (e->state == POP3_STATE_UPDATE)
        return; /* the session had ended: the connection was expected to end */
    if (status == POP3_OK || status == POP3_PENDING)
        status = POP3_ERR_CLOSED; /* no command may seem to have succeeded */
    p3_engine_die(e, status, pop3_status_message(status), p3_span(NULL, 0));
}

void pop3_engine_tls_started(pop3_engine *e)
{
    e->tls = true;
    e->wants_tls = false;
    e->announced = false;
    p3_engine_forget_capabilities(e);
}

/* Stores the response instead of the command's argument, to recognize it if the server repeats it.
 */
static bool keep_response(p3_queued *auth, pop3_str text)
{
    char *kept = malloc(text.len + 1);
    if (kept == NULL)
        return false;
    kept[0] = ' '; /* instead of the mechanism's name */
    if (text.len > 0)
        memcpy(kept + 1, text.data, text.len);
    p3_queued_clear(auth);
    auth->text = kept;
    auth->text_len = text.len + 1;
    return true;
}

static pop3_status answer_challenge(pop3_engine *e, pop3_str text)
{
    if (!p3_response_ok(text))
        return POP3_ERR_ARGUMENT;
    if (!e->auth_waits)
        return POP3_ERR_STATE;
    char *at = p3_output_reserve(&e->output, text.len + 2);
    bool cancelled = text.len == 1 && text.data[0] == '*';
    if (at == NULL || (!cancelled && !keep_response(p3_queue_at(&e->queue, 0), text)))
        return POP3_ERR_MEMORY;
    if (text.len > 0)
        memcpy(at, text.data, text.len);
    memcpy(at + text.len, "\r\n", 2);
    p3_output_commit(&e->output, text.len + 2);
    e->auth_waits = false;
    if (e->unsaid > 0)
        e->unsaid = cancelled ? 0 : e->unsaid - 1;
    p3_engine_trace(e, 1, POP3_TRACE_SENT, cancelled ? p3_span("*", 1) : p3_span("***", 3));
    return POP3_OK;
}

pop3_status pop3_engine_respond(pop3_engine *e, pop3_str base64)
{
    if (base64.len == 1 && base64.data != NULL && base64.data[0] == '*')
        return POP3_ERR_ARGUMENT;
    return answer_challenge(e, base64);
}

pop3_status pop3_engine_cancel_auth(pop3_engine *e)
{
    return answer_challenge(e, p3_span("*", 1));
}

pop3_state pop3_engine_state(const pop3_engine *e)
{
    return e->state;
}

bool pop3_engine_wants_input(const pop3_engine *e)
{
    if (e->state >= POP3_STATE_UPDATE || e->wants_tls)
        return false;
    return e->state == POP3_STATE_GREETING || (e->in_flight > 0 && !e->auth_waits);
}

bool pop3_engine_wants_tls(const pop3_engine *e)
{
    return e->wants_tls;
}

/* The engine's own commands: CAPA or NOOP, always the first, because they are queued when nothing
 * is in flight. */
static size_t own_commands(const pop3_engine *e)
{
    size_t n = 0;
    while (n < e->queue.count && p3_queue_at(&e->queue, n)->internal)
        n++;
    return n;
}

size_t pop3_engine_pending(const pop3_engine *e)
{
    return e->queue.count - own_commands(e) + (e->held_set ? 1 : 0);
}

bool pop3_engine_current(const pop3_engine *e, pop3_command_kind *kind, uint32_t *number)
{
    size_t own = own_commands(e);
    if (!e->held_set && own == e->queue.count)
        return false;
    const p3_queued *c = e->held_set ? &e->held : p3_queue_at(&e->queue, own);
    if (kind != NULL)
        *kind = c->kind;
    if (number != NULL)
        *number = c->number;
    return true;
}

size_t pop3_engine_in_flight(const pop3_engine *e)
{
    size_t own = own_commands(e);
    return e->in_flight > own ? e->in_flight - own : 0;
}

uint64_t pop3_engine_deletions(const pop3_engine *e)
{
    return e->deleted;
}

const pop3_capabilities *pop3_engine_capabilities(const pop3_engine *e)
{
    return e->caps_known ? &e->caps.value : NULL;
}

pop3_str pop3_engine_greeting(const pop3_engine *e)
{
    return p3_span(e->greeting, e->greeting_len);
}

pop3_str pop3_engine_timestamp(const pop3_engine *e)
{
    return p3_find_timestamp(pop3_engine_greeting(e));
}

pop3_status pop3_engine_error(const pop3_engine *e, const char **detail)
{
    if (detail != NULL)
        *detail = e->detail;
    return e->error;
}
