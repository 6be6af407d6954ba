/* The commands of each method of logging in: AUTH with its challenges (RFC 5034), USER and PASS,
 * and APOP. */
#include "client/login.h"

#include "auth/apop.h"
#include "core/text.h"
#include "core/wipe.h"
#include "io/socket.h"

#include <stdio.h>
#include <string.h>

/* RFC 2449 §4: octets of a command line, its end included. */
#define P3_COMMAND_LINE 255

/* False when that ended the login. */
static bool submit(pop3_client *c, pop3_command *command, pop3_done_fn done)
{
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    handlers.done = done;
    pop3_status status = p3_submit_now(c, command, &handlers);
    if (status == POP3_ERR_ARGUMENT) /* longer than a command may be */
        p3_login_end(c, status, "the user's name or the secret is too long for a command", NULL);
    else if (status != POP3_OK)
        p3_login_break(c, status, NULL);
    return status == POP3_OK;
}

static const char *secret_of(const p3_login *l, pop3_secret_kind kind)
{
    return l->secrets[kind].data != NULL ? l->secrets[kind].data : "";
}

/* ---- the last answer of any method ---- */

static void answered(void *ctx, pop3_client *c, const pop3_result *result)
{
    (void)ctx;
    if (c->phase != P3_PHASE_LOGIN)
        return; /* the connection has failed, and its end is being told */
    if (result->status == POP3_OK)
        p3_login_succeed(c, result);
    else if (result->status == POP3_ERR_REFUSED)
        p3_login_go_on(c, NULL, result);
    else
        p3_login_end(c, result->status, NULL, result);
}

/* ---- USER and PASS, APOP (RFC 1939 §7) ---- */

static pop3_command with_text(pop3_command_kind kind, const char *text, size_t len)
{
    pop3_command command = POP3_COMMAND_INIT;
    command.kind = kind;
    command.text = p3_span(text, len);
    return command;
}

static pop3_command pass_of(const p3_login *l)
{
    return with_text(POP3_CMD_PASS, secret_of(l, POP3_SECRET_PASSWORD),
                     l->secrets[POP3_SECRET_PASSWORD].len);
}

static void user_answered(void *ctx, pop3_client *c, const pop3_result *result)
{
    (void)ctx;
    if (c->phase != P3_PHASE_LOGIN)
        return;
    if (result->status != POP3_OK) {
        answered(ctx, c, result);
        return;
    }
    pop3_command pass = pass_of(c->login);
    (void)submit(c, &pass, answered);
}

/* PASS is under way, and its answer, which comes next, ends the login. */
static void user_answered_before_pass(void *ctx, pop3_client *c, const pop3_result *result)
{
    (void)ctx;
    if (c->phase != P3_PHASE_LOGIN)
        return;
    c->outcome.pipelined = true;
    if (result->status == POP3_ERR_REFUSED)
        p3_login_keep_refusal(c, NULL, result);
    c->login->user_refused = result->status == POP3_ERR_REFUSED;
}

static void pass_answered(void *ctx, pop3_client *c, const pop3_result *result)
{
    if (c->phase == P3_PHASE_LOGIN && c->login->user_refused && result->status != POP3_OK)
        p3_login_end_refused(c);
    else
        answered(ctx, c, result);
}

/* Whether PASS may be sent before USER has been answered. */
static bool may_pipeline(const pop3_client *c)
{
    const pop3_capabilities *caps = pop3_engine_capabilities(c->engine);
    return c->login->options.pipeline && caps != NULL && (caps->flags & POP3_CAP_USER) != 0 &&
           pop3_engine_pipelines(c->engine) && c->options.engine.max_in_flight != 1;
}

/* The password is not read before it is to be sent. A PASS that cannot be sent must be noticed
 * before USER is under way. */
static void send_user(pop3_client *c)
{
    const char *name = c->login->options.user;
    pop3_command user = with_text(POP3_CMD_USER, name, strlen(name));
    pop3_command pass = pass_of(c->login);
    if (!may_pipeline(c) || pop3_command_check(&pass) != POP3_OK)
        (void)submit(c, &user, user_answered);
    else if (submit(c, &user, user_answered_before_pass))
        (void)submit(c, &pass, pass_answered);
}

static void send_apop(pop3_client *c)
{
    p3_login *l = c->login;
    char digest[P3_APOP_DIGEST + 1] = "";
    p3_octets text = {0};
    pop3_status status = p3_apop_digest(pop3_engine_timestamp(c->engine),
                                        secret_of(l, POP3_SECRET_PASSWORD), digest);
    if (status != POP3_OK) {
        p3_login_end(c, status, "there is no MD5 here", NULL);
        return;
    }
    if (p3_octets_add_texts(&text, l->options.user, " ", digest, NULL)) {
        pop3_command apop = with_text(POP3_CMD_APOP, text.data, text.len);
        (void)submit(c, &apop, answered);
    } else {
        p3_login_break(c, POP3_ERR_MEMORY, NULL);
    }
    p3_octets_free(&text);
    p3_wipe(digest, sizeof digest);
}

static void send_plain_method(pop3_client *c)
{
    if (c->login->mechanism == P3_MECH_USER)
        send_user(c);
    else
        send_apop(c);
}

bool p3_is_ascii(const char *text)
{
    for (; text != NULL && *text != '\0'; text++) {
        if ((unsigned char)*text > 0x7F)
            return false;
    }
    return true;
}

/* RFC 6856 §2.2: names and passwords beyond ASCII want UTF8 first, where the server says so. */
static void begin_plain_method(pop3_client *c)
{
    const p3_login *l = c->login;
    const pop3_capabilities *caps = pop3_engine_capabilities(c->engine);
    bool ascii = p3_is_ascii(l->options.user) && p3_is_ascii(secret_of(l, POP3_SECRET_PASSWORD));
    if (ascii || l->utf8_asked || caps == NULL || (caps->flags & POP3_CAP_UTF8_USER) == 0)
        send_plain_method(c);
    else
        p3_login_ask_utf8(c, send_plain_method);
}

/* ---- AUTH ---- */

static void send_auth(pop3_client *c, bool may_use_initial);
static bool make_exchange(pop3_client *c);

/* Whether the refusal may be one of the form of the command and not of the credentials: some
 * servers want the response on a line of its own, whatever its length. */
static bool try_two_lines(const p3_login *l, const pop3_result *result)
{
    return l->initial_sent && !l->challenged &&
           l->options.initial_response == POP3_INITIAL_RESPONSE_AUTO &&
           p3_refusal_is_vague(&result->reply);
}

void p3_login_explain(const pop3_client *c, char *out, size_t size)
{
    const char *said = c->login->sasl != NULL ? c->login->sasl->complaint : "";
    size_t len = strlen(said);
    size_t shown = p3_login_public_part(c, p3_span(said, len)).len;
    if (len == 0)
        snprintf(out, size, "%s", pop3_status_message(POP3_ERR_REFUSED));
    else
        snprintf(out, size, "%s (%.*s%s)", pop3_status_message(POP3_ERR_REFUSED), (int)shown, said,
                 shown < len ? "***" : "");
}

static void refuse(pop3_client *c, const pop3_result *result)
{
    char why[480];
    p3_login_explain(c, why, sizeof why);
    p3_login_go_on(c, why, result);
}

static void auth_answered(void *ctx, pop3_client *c, const pop3_result *result)
{
    (void)ctx;
    if (c->phase != P3_PHASE_LOGIN)
        return;
    p3_login *l = c->login;
    char kept[sizeof l->sasl->complaint];
    snprintf(kept, sizeof kept, "%s", l->sasl->complaint); /* it goes with the login */
    if (l->verdict != POP3_OK && l->verdict != POP3_ERR_REFUSED) {
        if (result->status == POP3_OK) /* to a login that was given up */
            p3_login_break(c, l->verdict, kept[0] != '\0' ? kept : NULL);
        else
            p3_login_end(c, l->verdict, kept[0] != '\0' ? kept : NULL, result);
    } else if (result->status == POP3_ERR_REFUSED) {
        l->two_lines = try_two_lines(l, result);
        if (l->two_lines)
            send_auth(c, false);
        else
            refuse(c, result);
    } else if (result->status != POP3_OK) {
        p3_login_end(c, result->status, NULL, result);
    } else if (p3_mechanism_about(l->mechanism)->proves && !l->sasl->complete) {
        p3_login_break(
            c, POP3_ERR_AUTHENTICATION,
            "the server let us in without proof that it knows the password: somebody may "
            "stand in between");
    } else {
        p3_login_succeed(c, result);
    }
}

/* Gives the exchange up with "*". A server that broke the rules or could not prove itself has
 * nothing more to say that could be believed: the connection ends. Otherwise its -ERR is awaited.
 */
static void cancel(pop3_client *c, pop3_status verdict)
{
    p3_login *l = c->login;
    l->verdict = verdict;
    pop3_status status = pop3_engine_cancel_auth(c->engine);
    if (status == POP3_OK && verdict != POP3_ERR_AUTHENTICATION && verdict != POP3_ERR_MEMORY)
        return;
    size_t len, put;
    const char *data = pop3_engine_output(c->engine, &len);
    if (len > 0)
        (void)p3_stream_write(&c->stream, data, len, &put); /* as a courtesy */
    char kept[sizeof l->sasl->complaint];
    snprintf(kept, sizeof kept, "%s", l->sasl->complaint); /* it goes with the login */
    p3_login_break(c, verdict, kept[0] != '\0' ? kept : NULL);
}

/* Sends what the mechanism answers, frees it; or cancels. */
static void respond(pop3_client *c, pop3_status status, p3_octets *base64)
{
    p3_login *l = c->login;
    l->reckons = status == POP3_PENDING;
    if (status == POP3_ERR_REFUSED)
        l->verdict = status;
    if (status == POP3_OK || status == POP3_ERR_REFUSED) {
        pop3_str response = p3_span(base64->data, base64->len);
        status = pop3_engine_respond(c->engine, base64->data == NULL ? p3_span("", 0) : response);
        if (status != POP3_OK)
            p3_login_break(c, status, NULL);
    } else if (status != POP3_PENDING) {
        cancel(c, status);
    }
    p3_octets_free(base64);
}

/* A server that heard AUTH and not the response behind it asks for that: it gets it again, once. */
static bool is_asked_again(const p3_login *l, pop3_str challenge)
{
    return l->initial_sent && !l->challenged && l->verdict == POP3_OK &&
           p3_sasl_is_prompt(l->sasl, challenge);
}

void p3_login_challenge(pop3_client *c, pop3_str challenge)
{
    p3_login *l = c->login;
    if (c->phase != P3_PHASE_LOGIN || l == NULL)
        return;
    if (is_asked_again(l, challenge)) {
        l->two_lines = true;
        if (!make_exchange(c))
            return;
    }
    l->challenged = true;
    if (l->verdict !=
        POP3_OK) { /* it said that it failed, or was told so, and goes on all the same */
        cancel(c, POP3_ERR_AUTHENTICATION);
        return;
    }
    p3_octets base64 = {0};
    pop3_status status = p3_sasl_answer(l->sasl, challenge, &base64);
    respond(c, status, &base64);
}

void p3_login_reckon(pop3_client *c)
{
    p3_octets base64 = {0};
    pop3_status status = p3_sasl_go_on(c->login->sasl, &base64);
    respond(c, status, &base64);
}

/* Whether the initial response goes into the command: RFC 5034 §4 has it there only if the line's
 * length allows it. */
static bool use_initial(const pop3_client *c, size_t len)
{
    const p3_login *l = c->login;
    if (l->options.initial_response == POP3_INITIAL_RESPONSE_AUTO &&
        p3_has_trait(c, POP3_TRAIT_NO_INITIAL_RESPONSE))
        return false;
    switch (l->options.initial_response) {
    case POP3_INITIAL_RESPONSE_NEVER:
        return false;
    case POP3_INITIAL_RESPONSE_ALWAYS:
        return true;
    default:
        return strlen("AUTH  \r\n") + strlen(p3_mechanism_about(l->mechanism)->name) + len <=
               P3_COMMAND_LINE;
    }
}

/* Makes the exchange anew; false when the login has ended. */
static bool make_exchange(pop3_client *c)
{
    p3_login *l = c->login;
    p3_need need = p3_mechanism_about(l->mechanism)->need;
    p3_sasl_free(l->sasl);
    l->sasl = NULL;
    l->verdict = POP3_OK;
    l->reckons = false;
    l->challenged = l->initial_sent = false;
    l->identity.secret =
        secret_of(l, need == P3_NEED_TOKEN ? POP3_SECRET_TOKEN : POP3_SECRET_PASSWORD);
    pop3_status status = p3_sasl_new(&l->sasl, l->mechanism, &l->identity);
    if (status != POP3_OK)
        p3_login_end(c, status, NULL, NULL);
    return status == POP3_OK;
}

static void send_auth(pop3_client *c, bool may_use_initial)
{
    p3_login *l = c->login;
    const p3_mechanism_info *about = p3_mechanism_about(l->mechanism);
    if (!make_exchange(c))
        return;
    p3_octets initial = {0};
    pop3_command command = POP3_COMMAND_INIT;
    command.kind = POP3_CMD_AUTH;
    command.text = p3_span(about->name, strlen(about->name));
    if (about->client_first && may_use_initial) {
        pop3_status status = p3_sasl_initial(l->sasl, &initial);
        if (status != POP3_OK) {
            char kept[sizeof l->sasl->complaint];
            snprintf(kept, sizeof kept, "%s", l->sasl->complaint);
            p3_login_end(c, status, kept[0] != '\0' ? kept : NULL, NULL);
            goto out;
        }
        l->initial_sent = use_initial(c, initial.len);
        if (l->initial_sent)
            command.initial = p3_span(initial.data, initial.len);
        else if (!make_exchange(c)) /* so that it can answer the empty challenge */
            goto out;
    }
    c->outcome.attempts++;
    (void)submit(c, &command, auth_answered);
out:
    p3_octets_free(&initial);
}

void p3_login_run(pop3_client *c)
{
    p3_login *l = c->login;
    const p3_mechanism_info *about = p3_mechanism_about(l->mechanism);
    char note[64];
    snprintf(note, sizeof note, "logging in with %s", about->name);
    p3_trace_note(c, note);
    c->outcome.mechanism = about->name;
    c->outcome.channel_binding = about->bound ? l->identity.binding_name : "";
    if (about->sasl)
        send_auth(c, true);
    else
        begin_plain_method(c);
}
