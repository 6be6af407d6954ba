/* Logging in: the options, the beginning and the end. What is picked is decided in login_choice.c,
 * and how each method's commands go is in login_steps.c. */
#include "client/login.h"

#include "core/text.h"
#include "core/wipe.h"
#include "io/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the options ---- */

/* A name: UTF-8 without control characters, which would end lines or fields. */
static bool name_ok(const char *s)
{
    if (s == NULL)
        return true;
    size_t len = strlen(s);
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)s[i] < ' ' || s[i] == 0x7F)
            return false;
    }
    return len > 0 && len <= 1024 && p3_is_utf8(p3_span(s, len));
}

/* A type of channel binding that there is, or none. */
static bool binding_ok(const char *type)
{
    return type == NULL || strcmp(type, "tls-exporter") == 0 ||
           strcmp(type, "tls-server-end-point") == 0 || strcmp(type, "tls-unique") == 0;
}

static bool options_ok(const pop3_login_options *o)
{
    if (o == NULL || o->size != sizeof *o)
        return false;
    if (!name_ok(o->user) || !name_ok(o->authzid) || !name_ok(o->realm) ||
        !name_ok(o->service_host) || !name_ok(o->mechanism))
        return false;
    if (!binding_ok(o->channel_binding))
        return false;
    if (o->password != NULL && !p3_secret_ok(p3_span(o->password, strlen(o->password))))
        return false;
    if (o->token != NULL && !p3_secret_ok(p3_span(o->token, strlen(o->token))))
        return false;
    return o->policy >= POP3_LOGIN_STRONGEST && o->policy <= POP3_LOGIN_NEVER_REVEAL &&
           o->initial_response >= POP3_INITIAL_RESPONSE_AUTO &&
           o->initial_response <= POP3_INITIAL_RESPONSE_NEVER;
}

static bool copy_string(const char **s)
{
    if (*s == NULL)
        return true;
    *s = strdup(*s);
    return *s != NULL;
}

static bool copy_secret(p3_octets *to, const char *from)
{
    return from == NULL || p3_octets_add_text(to, from);
}

static void free_login(p3_login *l)
{
    p3_sasl_free(l->sasl);
    p3_octets_free(&l->secrets[POP3_SECRET_PASSWORD]);
    p3_octets_free(&l->secrets[POP3_SECRET_TOKEN]);
    free(l->refused_in.data);
    free((char *)(uintptr_t)l->options.user);
    free((char *)(uintptr_t)l->options.authzid);
    free((char *)(uintptr_t)l->options.mechanism);
    free((char *)(uintptr_t)l->options.realm);
    free((char *)(uintptr_t)l->options.service_host);
    free((char *)(uintptr_t)l->options.channel_binding);
    p3_wipe_free(l, sizeof *l);
}

static p3_login *copy_login(const pop3_login_options *from, const pop3_handlers *handlers)
{
    p3_login *l = calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    pop3_login_options *o = &l->options;
    *o = *from;
    o->password = o->token = NULL;
    if (handlers != NULL)
        l->handlers = *handlers;
    bool user = copy_string(&o->user);
    bool authzid = copy_string(&o->authzid);
    bool mechanism = copy_string(&o->mechanism);
    bool realm = copy_string(&o->realm);
    bool host = copy_string(&o->service_host);
    bool binding = copy_string(&o->channel_binding);
    bool password = copy_secret(&l->secrets[POP3_SECRET_PASSWORD], from->password);
    bool token = copy_secret(&l->secrets[POP3_SECRET_TOKEN], from->token);
    if (user && authzid && mechanism && realm && host && binding && password && token)
        return l;
    free_login(l);
    return NULL;
}

/* ---- the end ---- */

static void describe(const p3_login *l, char *out, size_t size)
{
    bool known = l->mechanism != P3_MECH_NONE;
    snprintf(out, size, "logging in%s%s%s", known ? " with " : "",
             known ? p3_mechanism_about(l->mechanism)->name : "",
             l->others > 0 ? ", after another method was refused" : "");
}

/* Frees the login and tells its end. */
static void tell(pop3_client *c, const pop3_result *result)
{
    p3_login *l = c->login;
    pop3_handlers h = l->handlers;
    c->login = NULL;
    c->under_way--;
    free_login(l);
    p3_tell_done(c, &h, result);
}

static pop3_refusal what_was_refused(const p3_login *l, const pop3_result *result)
{
    /* A server that has bindings refuses the login without, however good the password. */
    if (l->unbound || p3_login_binding_was_refused(l, result))
        return POP3_REFUSED_BINDING;
    if (l->mechanism == P3_MECH_APOP)
        return POP3_REFUSED_APOP;
    if (p3_refusal_is_of_the_method(&result->reply))
        return POP3_REFUSED_METHOD;
    return p3_mechanism_about(l->mechanism)->need == P3_NEED_TOKEN ? POP3_REFUSED_TOKEN
                                                                   : POP3_REFUSED_CREDENTIALS;
}

/* Notes why the login fails; `why` may be NULL for the status' own sentence. */
static void note(pop3_client *c, pop3_status status, const char *why, const pop3_result *result)
{
    char doing[100];
    describe(c->login, doing, sizeof doing);
    if (why == NULL)
        why = pop3_status_message(status);
    if (status == POP3_ERR_REFUSED && result != NULL)
        p3_note_refusal(c, what_was_refused(c->login, result), doing, why, &result->reply);
    else
        p3_note_error(c, status, 0, doing, why, NULL);
}

void p3_login_end(pop3_client *c, pop3_status status, const char *why, const pop3_result *result)
{
    pop3_result over = {.command = POP3_CMD_AUTH};
    if (result != NULL)
        over = *result;
    over.status = status;
    bool ours = status == POP3_ERR_ARGUMENT || status == POP3_ERR_NOT_OFFERED;
    if (c->login->refusal_kept && ours) { /* a method that came second could not even be tried */
        p3_login_end_refused(c);
        return;
    }
    if (status != POP3_OK)
        note(c, status, why, result);
    p3_ready(c);
    tell(c, &over);
}

void p3_login_break(pop3_client *c, pop3_status status, const char *why)
{
    char doing[100];
    describe(c->login, doing, sizeof doing);
    p3_fail(c, status, 0, doing, why != NULL ? why : pop3_status_message(status));
}

void p3_login_keep_refusal(pop3_client *c, const char *why, const pop3_result *result)
{
    p3_login *l = c->login;
    p3_failure before = c->failure;
    note(c, POP3_ERR_REFUSED, why, result);
    l->refusal = c->failure;
    c->failure = before;
    p3_copy_reply(&l->refused_by, &l->refused_in, &result->reply);
    l->refused = result->command;
    l->refusal_kept = true;
}

/* Tells the kept refusal as the login's end. */
static void tell_refusal(pop3_client *c)
{
    pop3_command_kind command = c->login->refused;
    c->failure = c->login->refusal;
    p3_keep_reply(c, &c->login->refused_by); /* as the login's own memory goes before it is told */
    pop3_result over = {
        .status = POP3_ERR_REFUSED, .command = command, .reply = c->reply, .sent = true};
    tell(c, &over);
}

void p3_login_end_refused(pop3_client *c)
{
    p3_ready(c);
    tell_refusal(c);
}

/* Whether the server, or the line, has ended the connection, and not we. */
static bool is_lost(const pop3_client *c)
{
    return c->ended != POP3_ERR_CANCELLED && c->ended != POP3_ERR_MEMORY &&
           c->ended != POP3_ERR_AUTHENTICATION;
}

/* The mechanism's challenge said that the login fails, and why; the server closed in place of -ERR.
 */
static void keep_report(pop3_client *c)
{
    p3_login *l = c->login;
    pop3_result report = {.command = POP3_CMD_AUTH};
    char why[480];
    if (l->refusal_kept || l->verdict != POP3_ERR_REFUSED || l->sasl->complaint[0] == '\0')
        return;
    p3_login_explain(c, why, sizeof why);
    p3_login_keep_refusal(c, why, &report);
}

void p3_login_dropped(pop3_client *c)
{
    pop3_result over = {.status = c->ended, .command = POP3_CMD_AUTH};
    if (c->login == NULL)
        return;
    if (is_lost(c))
        keep_report(c);
    if (!c->login->refusal_kept || !is_lost(c)) {
        tell(c, &over);
        return;
    }
    p3_failure end = c->failure; /* what is under way will not be answered */
    tell_refusal(c);
    c->failure = end;
}

pop3_str p3_login_public_part(const pop3_client *c, pop3_str text)
{
    for (int kind = POP3_SECRET_PASSWORD; kind <= POP3_SECRET_TOKEN; kind++) {
        const p3_octets *secret = &c->login->secrets[kind];
        size_t echo =
            p3_find_echo(text, p3_span(secret->data, secret->len), kind == POP3_SECRET_PASSWORD);
        if (echo < text.len)
            text.len = echo;
    }
    return text;
}

/* The server's answer to CAPA after the login; without it the capabilities just stay unknown. */
static void capabilities_after(void *ctx, pop3_client *c, const pop3_result *result)
{
    (void)ctx;
    (void)result;
    pop3_result over = {.command = POP3_CMD_CAPA, .reply = c->reply};
    if (c->phase == P3_PHASE_LOGIN)
        p3_login_end(c, POP3_OK, NULL, &over);
}

void p3_login_succeed(pop3_client *c, const pop3_result *result)
{
    p3_login *l = c->login;
    const p3_mechanism_info *about = p3_mechanism_about(l->mechanism);
    c->outcome.server_proved = about->proves;
    if (l->two_lines)
        c->options.traits.flags |= POP3_TRAIT_NO_INITIAL_RESPONSE;
    if (about->bound && l->options.channel_binding == NULL) {
        bool unique = strcmp(l->identity.binding_name, "tls-unique") == 0;
        c->options.traits.flags &= ~(uint32_t)POP3_TRAIT_BINDS_UNIQUE;
        c->options.traits.flags |= unique ? POP3_TRAIT_BINDS_UNIQUE : 0;
    }
    /* Only now is it known that the password was right, and that APOP was not refused for that. */
    if ((l->spent & p3_mechanism_bit(P3_MECH_APOP)) != 0)
        c->options.traits.flags |= POP3_TRAIT_NO_APOP;
    bool may_ask =
        !l->capa_refused && !p3_has_trait(c, POP3_TRAIT_NO_CAPA | POP3_TRAIT_NO_LATE_CAPA);
    if (!l->options.ask_capabilities || !may_ask) {
        p3_login_end(c, POP3_OK, NULL, result);
        return;
    }
    p3_keep_reply(c, &result->reply);
    pop3_command command = POP3_COMMAND_INIT;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    command.kind = POP3_CMD_CAPA;
    handlers.done = capabilities_after;
    pop3_status status = p3_submit_now(c, &command, &handlers);
    if (status != POP3_OK)
        p3_login_break(c, status, NULL);
}

bool p3_login_reckons(const pop3_client *c)
{
    return c->phase == P3_PHASE_LOGIN && c->login != NULL && c->login->reckons;
}

/* ---- the beginning ---- */

bool p3_login_waits(const pop3_client *c)
{
    return c->login != NULL && !c->login->begun;
}

static void utf8_answered(void *ctx, pop3_client *c, const pop3_result *result)
{
    (void)ctx;
    (void)result; /* refused, names and messages go as they are, which is what servers did before */
    if (c->phase == P3_PHASE_LOGIN)
        c->login->go_on(c);
}

void p3_login_ask_utf8(pop3_client *c, void (*go_on)(pop3_client *c))
{
    pop3_command command = POP3_COMMAND_INIT;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    c->login->utf8_asked = true;
    c->login->go_on = go_on;
    command.kind = POP3_CMD_UTF8;
    handlers.done = utf8_answered;
    pop3_status status = p3_submit_now(c, &command, &handlers);
    if (status != POP3_OK)
        p3_login_break(c, status, NULL);
}

/* What the server announces is known, as far as it will be. */
static void go_on(pop3_client *c)
{
    const pop3_capabilities *caps = pop3_engine_capabilities(c->engine);
    bool wanted = c->login->options.utf8 && caps != NULL && (caps->flags & POP3_CAP_UTF8) != 0;
    if (wanted)
        p3_login_ask_utf8(c, p3_login_choose);
    else
        p3_login_choose(c);
}

static void capabilities_before(void *ctx, pop3_client *c, const pop3_result *result)
{
    (void)ctx;
    if (c->phase != P3_PHASE_LOGIN)
        return;
    c->login->asking = false;
    c->login->capa_refused = result->status != POP3_OK; /* the server may not know CAPA */
    go_on(c);
}

/* Whether CAPA is of no use: it is known, would be answered by a hang-up, or could change nothing
 * of what was asked for by name. (Names beyond ASCII may want UTF8 first.) */
static bool may_do_without_capa(const pop3_client *c)
{
    const p3_login *l = c->login;
    bool plain = l->named == P3_MECH_USER || l->named == P3_MECH_APOP;
    return pop3_engine_capabilities(c->engine) != NULL || p3_has_trait(c, POP3_TRAIT_NO_CAPA) ||
           (plain && p3_is_ascii(l->options.user) &&
            p3_is_ascii(l->secrets[POP3_SECRET_PASSWORD].data));
}

void p3_login_start_over(p3_login *l)
{
    l->begun = l->asking = l->capa_refused = l->utf8_asked = l->user_refused = false;
    l->mechanism = P3_MECH_NONE;
    l->others = 0;
}

void p3_login_begin(pop3_client *c)
{
    p3_login *l = c->login;
    l->begun = true;
    c->deadline = p3_deadline(p3_now_ms(), c->options.timeout_ms);
    const char *name = l->options.mechanism;
    if (name != NULL) {
        l->named = p3_mechanism_named(p3_span(name, strlen(name)));
        if (l->named == P3_MECH_NONE) {
            p3_login_end(c, POP3_ERR_NOT_OFFERED,
                         "the library does not know the method that was named", NULL);
            return;
        }
    }
    if (may_do_without_capa(c)) {
        go_on(c);
        return;
    }
    l->asking = true;
    pop3_command command = POP3_COMMAND_INIT;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    command.kind = POP3_CMD_CAPA;
    handlers.done = capabilities_before;
    pop3_status status = p3_submit_now(c, &command, &handlers);
    if (status != POP3_OK)
        p3_login_break(c, status, NULL);
}

pop3_status pop3_login_start(pop3_client *c, const pop3_login_options *options,
                             const pop3_handlers *handlers)
{
    if (c == NULL || !options_ok(options) ||
        (handlers != NULL && handlers->size != sizeof *handlers))
        return POP3_ERR_ARGUMENT;
    if (c->phase == P3_PHASE_NONE || c->login != NULL || c->under_way > 0 ||
        pop3_engine_state(c->engine) > POP3_STATE_AUTHORIZATION)
        return POP3_ERR_STATE;
    p3_login *l = copy_login(options, handlers);
    if (l == NULL)
        return POP3_ERR_MEMORY;
    l->identity = (p3_sasl_identity){
        .user = l->options.user,
        .authzid = l->options.authzid,
        .realm = l->options.realm,
        .host = l->options.service_host != NULL ? l->options.service_host : p3_host(c),
        .port = c->options.port,
    };
    c->login = l;
    c->under_way++;
    c->outcome = (pop3_login_result){.mechanism = "", .channel_binding = ""};
    if (c->phase == P3_PHASE_READY)
        p3_set_phase(c, P3_PHASE_LOGIN); /* else p3_ready() does it */
    if (!c->inside)
        c->more = true; /* a step is to send what begins it */
    return POP3_OK;
}

const pop3_login_result *pop3_login_outcome(const pop3_client *c)
{
    return &c->outcome;
}

bool pop3_login_mechanism_known(const char *name)
{
    p3_mechanism m = name == NULL ? P3_MECH_NONE : p3_mechanism_named(p3_span(name, strlen(name)));
    return m != P3_MECH_NONE && p3_mechanism_built(m);
}

/* ---- the blocking call ---- */

typedef struct p3_login_call {
    bool over;
    pop3_status status;
} p3_login_call;

static void call_over(void *ctx, pop3_client *c, const pop3_result *result)
{
    p3_login_call *call = ctx;
    call->over = true;
    call->status = result->status;
    p3_call_over(c, call->status);
    if (result->reply.line.len > 0 && result->reply.line.data != c->reply_memory.data)
        p3_keep_reply(c, &result->reply);
}

pop3_status pop3_login(pop3_client *c, const pop3_login_options *options)
{
    p3_login_call call = {0};
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    handlers.done = call_over;
    handlers.ctx = &call;
    pop3_status status = p3_call_begin(c);
    if (status != POP3_OK)
        return status;
    status = pop3_login_start(c, options, &handlers);
    if (status != POP3_OK) {
        const char *why = pop3_status_message(status);
        if (status == POP3_ERR_STATE && c->phase == P3_PHASE_NONE)
            why = "there is no connection";
        else if (status == POP3_ERR_ARGUMENT)
            why = "an option is empty, too long, not UTF-8, or holds CR, LF, NUL or the like";
        return p3_note_error(c, status, 0, "logging in", why, NULL);
    }
    while (!call.over) {
        (void)pop3_client_step(c); /* how it ends shows in the call */
        if (!call.over)
            p3_wait_for(c);
    }
    return p3_call_end(c, call.status);
}
