/* Logging in: the options, what the server offers, which method, the secret for it, and the end.
 * How each method's commands go is in login_steps.c. */
#include "client/login.h"

#include "auth/md5.h"
#include "core/text.h"
#include "core/wipe.h"
#include "io/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for a secret from the callback: what fits an AUTH response of 65,536 octets in base64. */
#define P3_MAX_SECRET 49152

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

/* A secret: UTF-8 without CR, LF and NUL. */
static bool secret_ok(pop3_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '\r' || s.data[i] == '\n' || s.data[i] == '\0')
            return false;
    }
    return s.len <= P3_MAX_SECRET && p3_is_utf8(s);
}

static bool options_ok(const pop3_login_options *o)
{
    if (o == NULL || o->size != sizeof *o)
        return false;
    if (!name_ok(o->user) || !name_ok(o->authzid) || !name_ok(o->realm) ||
        !name_ok(o->service_host) || !name_ok(o->mechanism))
        return false;
    if (o->password != NULL && !secret_ok(p3_span(o->password, strlen(o->password))))
        return false;
    if (o->token != NULL && !secret_ok(p3_span(o->token, strlen(o->token))))
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
    if (from == NULL)
        return true;
    return p3_octets_init(to, strlen(from)) && p3_octets_add_text(to, from);
}

static void free_login(p3_login *l)
{
    p3_sasl_free(l->sasl);
    p3_octets_free(&l->secrets[POP3_SECRET_PASSWORD]);
    p3_octets_free(&l->secrets[POP3_SECRET_TOKEN]);
    free((char *)(uintptr_t)l->options.user);
    free((char *)(uintptr_t)l->options.authzid);
    free((char *)(uintptr_t)l->options.mechanism);
    free((char *)(uintptr_t)l->options.realm);
    free((char *)(uintptr_t)l->options.service_host);
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
    bool password = copy_secret(&l->secrets[POP3_SECRET_PASSWORD], from->password);
    bool token = copy_secret(&l->secrets[POP3_SECRET_TOKEN], from->token);
    if (user && authzid && mechanism && realm && host && password && token)
        return l;
    free_login(l);
    return NULL;
}

/* ---- the end ---- */

static void describe(const p3_login *l, char *out, size_t size)
{
    bool known = l->mechanism != P3_MECH_NONE;
    snprintf(out, size, "logging in%s%s", known ? " with " : "",
             known ? p3_mechanism_about(l->mechanism)->name : "");
}

/* Frees the login and tells its end. */
static void tell(pop3_client *c, const pop3_result *result)
{
    p3_login *l = c->login;
    pop3_handlers h = l->handlers;
    c->login = NULL;
    c->under_way--;
    free_login(l);
    if (h.done == NULL)
        return;
    bool was_inside = c->inside;
    c->inside = true;
    h.done(h.ctx, c, result);
    c->inside = was_inside;
}

void p3_login_end(pop3_client *c, pop3_status status, const char *why, const pop3_result *result)
{
    char doing[64];
    describe(c->login, doing, sizeof doing);
    pop3_result over = {.command = POP3_CMD_AUTH};
    if (result != NULL)
        over = *result;
    over.status = status;
    if (status != POP3_OK)
        p3_note_error(c, status, 0, doing, why != NULL ? why : pop3_status_message(status),
                      status == POP3_ERR_REFUSED && result != NULL ? &result->reply : NULL);
    p3_ready(c);
    tell(c, &over);
}

void p3_login_break(pop3_client *c, pop3_status status, const char *why)
{
    char doing[64];
    describe(c->login, doing, sizeof doing);
    p3_fail(c, status, 0, doing, why != NULL ? why : pop3_status_message(status));
}

void p3_login_dropped(pop3_client *c)
{
    pop3_result over = {.status = c->ended, .command = POP3_CMD_AUTH};
    if (c->login != NULL)
        tell(c, &over);
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
    if (!l->options.ask_capabilities) {
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

/* ---- what the server offers, and which method ---- */

void p3_login_note_offer(pop3_client *c)
{
    if (pop3_engine_state(c->engine) == POP3_STATE_AUTHORIZATION)
        c->offered_before |= p3_mechanisms_offered(pop3_engine_capabilities(c->engine), false);
}

static p3_circumstances circumstances(const pop3_client *c)
{
    const p3_login *l = c->login;
    const p3_octets *password = &l->secrets[POP3_SECRET_PASSWORD];
    const p3_octets *token = &l->secrets[POP3_SECRET_TOKEN];
    bool ask = l->options.secret != NULL && password->data == NULL && token->data == NULL;
    return (p3_circumstances){
        .encrypted = pop3_client_is_encrypted(c),
        .private_line = p3_is_private(c),
        .binding = l->identity.binding_name != NULL,
        .password = password->data != NULL || (ask && !l->lacking[POP3_SECRET_PASSWORD]),
        .token = token->data != NULL || (ask && !l->lacking[POP3_SECRET_TOKEN]),
        .user = l->options.user != NULL,
        .allow_plaintext = l->options.allow_plaintext,
        .never_reveal = l->options.policy == POP3_LOGIN_NEVER_REVEAL,
    };
}

/* Picks the best method. Ends the login when there is none, or a better one has gone missing. */
static bool pick(pop3_client *c, p3_mechanisms offered)
{
    p3_login *l = c->login;
    p3_circumstances about = circumstances(c);
    bool insecure;
    bool unused;
    p3_mechanism best = p3_mechanism_pick(offered | c->offered_before, &about, &unused);
    p3_mechanism m = p3_mechanism_pick(offered, &about, &insecure);
    if (p3_mechanism_weaker(m, best)) {
        char why[160];
        snprintf(why, sizeof why,
                 "the server announced %s before and does not any more: somebody may be tampering "
                 "with the connection",
                 p3_mechanism_about(best)->name);
        p3_login_break(c, POP3_ERR_AUTHENTICATION, why);
        return false;
    }
    if (m == P3_MECH_NONE) {
        if (insecure)
            p3_login_end(c, POP3_ERR_INSECURE,
                         "what the server offers would show the password or token to anybody who "
                         "listens",
                         NULL);
        else
            p3_login_end(c, POP3_ERR_NOT_OFFERED,
                         "the server offers no method that can be used here", NULL);
        return false;
    }
    l->mechanism = m;
    return true;
}

/* Whether the method that the caller named can be used. Ends the login when not. */
static bool check_named(pop3_client *c, p3_mechanisms offered)
{
    p3_login *l = c->login;
    const p3_mechanism_info *about = p3_mechanism_about(l->named);
    bool capa_known = pop3_engine_capabilities(c->engine) != NULL;
    bool announced = (offered & p3_mechanism_bit(l->named)) != 0;
    const char *why = NULL;
    pop3_status status = POP3_ERR_NOT_OFFERED;
    l->mechanism = l->named;
    if (!p3_mechanism_built(l->named)) {
        why = "this build does not have the method";
    } else if (l->named == P3_MECH_APOP && !announced) {
        why = "the greeting has no timestamp, so the server does not offer APOP";
    } else if (about->sasl && capa_known && !announced) {
        why = "the server does not announce the method";
    } else if (about->bound && l->identity.binding_name == NULL) {
        why = "there is no TLS connection that the method could be bound to";
    } else if (l->options.user == NULL && !about->userless) {
        status = POP3_ERR_ARGUMENT;
        why = "no user was named";
    } else if (about->reveals && !p3_is_private(c) && !l->options.allow_plaintext) {
        status = POP3_ERR_INSECURE;
        why = "the method would show the password or token to anybody who listens";
    } else if (about->reveals && l->options.policy == POP3_LOGIN_NEVER_REVEAL) {
        status = POP3_ERR_INSECURE;
        why = "the method shows the password or token to the server";
    }
    if (why == NULL)
        return true;
    p3_login_end(c, status, why, NULL);
    return false;
}

/* Asks the callback for a secret, once. Returns POP3_OK when there is one. */
static pop3_status fetch_secret(pop3_client *c, pop3_secret_kind kind)
{
    p3_login *l = c->login;
    const pop3_login_options *o = &l->options;
    p3_octets *secret = &l->secrets[kind];
    if (secret->data != NULL)
        return POP3_OK;
    if (o->secret == NULL || l->asked[kind])
        return POP3_ERR_ARGUMENT;
    l->asked[kind] = true;
    if (!p3_octets_init(secret, P3_MAX_SECRET))
        return POP3_ERR_MEMORY;
    size_t len = 0;
    bool was_inside = c->inside;
    c->inside = true;
    pop3_status status = o->secret(o->secret_ctx, kind, o->user, secret->data, P3_MAX_SECRET, &len);
    c->inside = was_inside;
    if (status == POP3_OK && len > P3_MAX_SECRET)
        status = POP3_ERR_ARGUMENT;
    if (status == POP3_OK) {
        secret->len = len;
        secret->data[len] = '\0';
        if (!secret_ok(p3_span(secret->data, len)))
            status = POP3_ERR_ARGUMENT;
    } else if (status != POP3_ERR_NOT_OFFERED && status != POP3_ERR_ARGUMENT) {
        status = POP3_ERR_CANCELLED;
    }
    if (status != POP3_OK)
        p3_octets_free(secret);
    l->lacking[kind] = status == POP3_ERR_NOT_OFFERED;
    return status;
}

/* Gets the secret that the method needs. False when the login has ended, or (*again) when another
 * method is to be picked because there is no such secret. */
static bool get_secret(pop3_client *c, bool *again)
{
    p3_login *l = c->login;
    p3_need need = p3_mechanism_about(l->mechanism)->need;
    *again = false;
    if (need == P3_NEED_NOTHING)
        return true;
    pop3_status status =
        fetch_secret(c, need == P3_NEED_TOKEN ? POP3_SECRET_TOKEN : POP3_SECRET_PASSWORD);
    if (status == POP3_OK)
        return true;
    *again = status == POP3_ERR_NOT_OFFERED && l->named == P3_MECH_NONE;
    const char *why = NULL;
    if (status == POP3_ERR_CANCELLED)
        why = "no password or token was given";
    else if (status == POP3_ERR_ARGUMENT || status == POP3_ERR_NOT_OFFERED)
        why = "the method needs a password or token, which is missing, too long, not UTF-8, or "
              "holds CR, LF or NUL";
    if (!*again)
        p3_login_end(c, status == POP3_ERR_NOT_OFFERED ? POP3_ERR_ARGUMENT : status, why, NULL);
    return false;
}

static void choose(pop3_client *c)
{
    p3_login *l = c->login;
    p3_mechanisms offered = p3_mechanisms_offered(pop3_engine_capabilities(c->engine),
                                                  pop3_engine_timestamp(c->engine).len > 0);
    if (c->stream.tls != NULL)
        l->identity.binding_name =
            p3_tls_session_binding(c->stream.tls, l->binding, sizeof l->binding);
    l->identity.binding = l->binding;
    bool again = true;
    while (again) {
        if (!(l->named != P3_MECH_NONE ? check_named(c, offered) : pick(c, offered)))
            return;
        if (get_secret(c, &again)) {
            p3_login_run(c);
            return;
        }
    }
}

/* ---- the beginning ---- */

bool p3_login_waits(const pop3_client *c)
{
    return c->login != NULL && !c->login->begun;
}

static void capabilities_before(void *ctx, pop3_client *c, const pop3_result *result)
{
    (void)ctx;
    (void)result; /* refused: a server that does not know CAPA */
    if (c->phase == P3_PHASE_LOGIN)
        choose(c);
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
    if (pop3_engine_capabilities(c->engine) != NULL) {
        choose(c);
        return;
    }
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
        c->phase = P3_PHASE_LOGIN; /* else p3_ready() does it */
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
