/* Logging in, as a script: this file has the order of a login. */
#include "client/login.h"

#include "auth/apop.h"
#include "client/mechanism_choice.h"
#include "client/exchange.h"
#include "client/login_options.h"
#include "client/options.h"
#include "client/refusal.h"
#include "client/reply.h"
#include "client/trace.h"
#include "core/text.h"
#include "core/wipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What has been sent last. */
typedef enum p3_login_stage {
    P3_LOGIN_NOTHING,     /* the login waits for its first move */
    P3_LOGIN_BEGUN,       /* nothing, and it does not wait any more */
    P3_LOGIN_CAPA,        /* CAPA, and nothing else */
    P3_LOGIN_UTF8,        /* UTF8: the mechanism follows */
    P3_LOGIN_USER,        /* USER: PASS follows the answer */
    P3_LOGIN_USER_AHEAD,  /* USER: PASS follows at once */
    P3_LOGIN_PASS_BEHIND, /* both: USER is answered first */
    P3_LOGIN_SECRET,      /* PASS or APOP: the answer ends the login */
    P3_LOGIN_AUTH,
    P3_LOGIN_CAPA_AFTER /* CAPA, after the login */
} p3_login_stage;

/* A refusal that is reported if what follows does not succeed: of USER, while PASS, sent together
 * with it, is in flight; of one mechanism, while another is tried. */
typedef struct p3_kept_refusal {
    bool is_there;
    pop3_command_kind command;
    p3_failure failure;
    p3_kept_reply reply;
} p3_kept_refusal;

struct p3_attempt {
    pop3_login_options options; /* strings are copies; the secrets are in `secrets` */
    pop3_handlers handlers;
    p3_login_stage stage;
    bool capa_refused; /* CAPA was answered -ERR */
    bool utf8_asked;   /* UTF8 has been sent */
    bool user_refused; /* PASS, sent together with the refused USER, is in flight */
    p3_secrets secrets;
    p3_mechanism_choice choice;
    p3_exchange exchange;
    p3_kept_refusal refusal;
    p3_kept_reply taken; /* the reply that accepted the login */
    p3_octets text;      /* of the command in flight */
    char why[480];       /* of the last move */
};

/* ---- beginning and end ---- */

void p3_login_init(p3_login *login)
{
    *login = (p3_login){.outcome = {.mechanism = "", .channel_binding = ""}};
}

void p3_login_new_connection(p3_login *login)
{
    login->before = 0;
}

static void free_attempt(p3_attempt *a)
{
    p3_exchange_free(&a->exchange);
    p3_secrets_free(&a->secrets);
    p3_login_options_free(&a->options);
    p3_reply_free(&a->refusal.reply);
    p3_reply_free(&a->taken);
    p3_octets_free(&a->text);
    p3_wipe_free(a, sizeof *a);
}

pop3_status p3_login_prepare(p3_login *login, const pop3_login_options *options,
                             const pop3_handlers *handlers)
{
    p3_attempt *a = calloc(1, sizeof *a);
    if (a == NULL)
        return POP3_ERR_MEMORY;
    a->handlers = *handlers;
    bool copied = p3_login_options_copy(&a->options, options);
    bool secrets = p3_secrets_init(&a->secrets, options);
    if (!copied || !secrets) {
        free_attempt(a);
        return POP3_ERR_MEMORY;
    }
    login->attempt = a;
    login->outcome = (pop3_login_result){.mechanism = "", .channel_binding = ""};
    return POP3_OK;
}

bool p3_login_is_there(const p3_login *login)
{
    return login->attempt != NULL;
}

bool p3_login_waits(const p3_login *login)
{
    return login->attempt != NULL && login->attempt->stage == P3_LOGIN_NOTHING;
}

pop3_handlers p3_login_finish(p3_login *login)
{
    pop3_handlers handlers = login->attempt->handlers;
    free_attempt(login->attempt);
    login->attempt = NULL;
    return handlers;
}

void p3_login_describe(const p3_login *login, char *out, size_t size)
{
    const p3_mechanism_choice *ch = &login->attempt->choice;
    bool known = ch->mechanism != P3_MECH_NONE;
    snprintf(out, size, "logging in%s%s%s", known ? " with " : "",
             known ? p3_mechanism_about(ch->mechanism)->name : "",
             ch->others > 0 ? ", after another mechanism was refused" : "");
}

pop3_str p3_login_public_part(const p3_login *login, pop3_str text)
{
    return login->attempt != NULL ? p3_secrets_public_part(&login->attempt->secrets, text) : text;
}

void p3_login_note_offer(p3_login *login, const pop3_engine *engine)
{
    if (pop3_engine_state(engine) == POP3_STATE_AUTHORIZATION)
        login->before |= p3_mechanisms_offered(pop3_engine_capabilities(engine), false);
}

static p3_means means_of(p3_login *login, const p3_scene *scene)
{
    p3_attempt *a = login->attempt;
    return (p3_means){&a->options, &a->secrets, scene, login->before};
}

/* ---- refusals ---- */

static pop3_refusal what_was_refused(const p3_attempt *a, const pop3_result *result)
{
    /* A server with bindings refuses a login without one, even with the right password. */
    if (a->choice.unbound || p3_exchange_binding_was_refused(&a->exchange, result))
        return POP3_REFUSED_BINDING;
    if (a->choice.mechanism == P3_MECH_APOP)
        return POP3_REFUSED_APOP;
    if (p3_refusal_is_of_mechanism(&result->reply))
        return POP3_REFUSED_MECHANISM;
    static const pop3_refusal refusals[] = {[P3_NEED_NOTHING] = POP3_REFUSED_IDENTITY,
                                            [P3_NEED_PASSWORD] = POP3_REFUSED_CREDENTIALS,
                                            [P3_NEED_TOKEN] = POP3_REFUSED_TOKEN};
    return refusals[p3_mechanism_about(a->choice.mechanism)->need];
}

/* Writes the message about a refusal, with the mechanism's information, if any. */
static const char *explain(const p3_login *login)
{
    p3_attempt *a = login->attempt;
    const char *said = p3_exchange_complaint(&a->exchange);
    size_t len = strlen(said);
    size_t shown = p3_login_public_part(login, p3_span(said, len)).len;
    if (len == 0)
        return NULL;
    snprintf(a->why, sizeof a->why, "%s (%.*s%s)", pop3_status_message(POP3_ERR_REFUSED),
             (int)shown, said, shown < len ? "***" : "");
    return a->why;
}

/* Keeps a refusal, to be reported if what follows does not succeed. */
static void keep_refusal(p3_login *login, const p3_scene *scene, const char *why,
                         const pop3_result *result)
{
    p3_attempt *a = login->attempt;
    const pop3_reply *reply = &result->reply;
    char doing[100];
    p3_login_describe(login, doing, sizeof doing);
    const pop3_capabilities *caps = pop3_engine_capabilities(scene->engine);
    p3_fault fault = {
        .status = POP3_ERR_REFUSED,
        .doing = doing,
        .why = why,
        .refused = what_was_refused(a, result),
        .login_delay = caps != NULL ? caps->login_delay : 0,
        .reply = reply,
    };
    fault.text =
        p3_login_public_part(login, pop3_engine_public_part(scene->engine, reply, reply->text));
    fault.code_text = p3_login_public_part(
        login, pop3_engine_public_part(scene->engine, reply, reply->code_text));
    p3_failure_write(&a->refusal.failure, scene->place, &fault);
    p3_reply_keep(&a->refusal.reply, reply);
    a->refusal.command = result->command;
    a->refusal.is_there = true;
}

/* Ends the login with the refusal that was kept. */
static p3_move end_refused(const p3_attempt *a)
{
    return (p3_move){
        .kind = P3_MOVE_END,
        .result = {.status = POP3_ERR_REFUSED,
                   .command = a->refusal.command,
                   .reply = a->refusal.reply.reply,
                   .sent = true},
        .failure = &a->refusal.failure,
    };
}

/* ---- moves ---- */

/* Ends the login; the connection stays good. `why` may be NULL for the message of the status. */
static p3_move end(const p3_attempt *a, pop3_status status, const char *why,
                   const pop3_result *result)
{
    bool ours = status == POP3_ERR_ARGUMENT || status == POP3_ERR_NOT_OFFERED;
    if (a->refusal.is_there && ours) /* a second mechanism could not even be tried */
        return end_refused(a);
    p3_move move = {.kind = P3_MOVE_END, .result = {.command = POP3_CMD_AUTH}, .why = why};
    if (result != NULL)
        move.result = *result;
    move.result.status = status;
    if (status == POP3_ERR_REFUSED && result != NULL)
        move.refused = what_was_refused(a, result);
    return move;
}

/* A command; ends the login if it is too long. */
static p3_move send(p3_attempt *a, p3_login_stage stage, pop3_command_kind kind, pop3_str text)
{
    p3_move move = p3_move_command(kind);
    move.command.text = text;
    if (pop3_command_check(&move.command) != POP3_OK)
        return end(a, POP3_ERR_ARGUMENT, "the user's name or the secret is too long for a command",
                   NULL);
    a->stage = stage;
    return move;
}

static p3_move choose(p3_login *login, const p3_scene *scene);
static p3_move send_first_command(p3_login *login, const p3_scene *scene);

static p3_move ask_utf8(p3_attempt *a)
{
    a->utf8_asked = true;
    return send(a, P3_LOGIN_UTF8, POP3_CMD_UTF8, p3_span("", 0));
}

/* The server has accepted the login. */
static p3_move succeed(p3_login *login, const p3_scene *scene, const pop3_result *result)
{
    p3_attempt *a = login->attempt;
    const p3_mechanism_info *about = p3_mechanism_about(a->choice.mechanism);
    p3_move move = end(a, POP3_OK, NULL, result);
    a->refusal.is_there = false; /* of an earlier mechanism */
    uint32_t learned = a->exchange.two_lines ? POP3_TRAIT_NO_INITIAL_RESPONSE : 0;
    login->outcome.server_proved = p3_mechanism_is(about, P3_IS_PROVING);
    bool may_ask = !a->capa_refused &&
                   !p3_has_trait(scene->options, POP3_TRAIT_NO_CAPA | POP3_TRAIT_NO_LATE_CAPA);
    if (a->options.ask_capabilities && may_ask) {
        p3_reply_keep(&a->taken, &result->reply);
        move = send(a, P3_LOGIN_CAPA_AFTER, POP3_CMD_CAPA, p3_span("", 0));
    }
    if (p3_mechanism_is(about, P3_IS_BOUND) && a->options.channel_binding == NULL) {
        bool unique = strcmp(a->choice.identity.binding_name, "tls-unique") == 0;
        move.unlearned = POP3_TRAIT_BINDS_UNIQUE;
        learned |= unique ? POP3_TRAIT_BINDS_UNIQUE : 0;
    }
    /* Only now is it known that the password was right, and that APOP was not refused because of
     * it. */
    if (p3_mechanism_choice_has_refused(&a->choice, P3_MECH_APOP))
        learned |= POP3_TRAIT_NO_APOP;
    move.learned = learned;
    return move;
}

/* The server has refused the mechanism: continues with another that protects the secret no less, or
 * ends the login. */
static p3_move go_on(p3_login *login, const p3_scene *scene, const char *why,
                     const pop3_result *result)
{
    p3_attempt *a = login->attempt;
    p3_means means = means_of(login, scene);
    bool binding = p3_exchange_binding_was_refused(&a->exchange, result);
    keep_refusal(login, scene, why, result);
    if (binding ? p3_mechanism_choice_bind_otherwise(&a->choice, &means)
                : p3_mechanism_choice_try_another(&a->choice, &means, &result->reply))
        return send_first_command(login, scene);
    return end_refused(a);
}

/* The last answer to a mechanism. */
static p3_move answered(p3_login *login, const p3_scene *scene, const pop3_result *result)
{
    if (result->status == POP3_OK)
        return succeed(login, scene, result);
    if (result->status == POP3_ERR_REFUSED)
        return go_on(login, scene, NULL, result);
    return end(login->attempt, result->status, NULL, result);
}

/* ---- USER and PASS, APOP (RFC 1939 §7) ---- */

static p3_move send_pass(p3_attempt *a, p3_login_stage stage)
{
    return send(a, stage, POP3_CMD_PASS, p3_secret_of(&a->secrets, POP3_SECRET_PASSWORD));
}

/* Whether the caller permits sending PASS before USER has been answered, and the server announces
 * it. */
static bool wants_pipeline(const p3_attempt *a, const p3_scene *scene)
{
    const pop3_engine_options *o = &scene->options->engine;
    return a->options.pipeline && o->pipelining != POP3_PIPELINING_OFF && o->max_in_flight != 1;
}

/* Whether it is possible here. A PASS that cannot be sent must be noticed before USER is in flight.
 */
static bool may_pipeline(const p3_attempt *a, const p3_scene *scene)
{
    const pop3_capabilities *caps = pop3_engine_capabilities(scene->engine);
    pop3_command pass = p3_move_command(POP3_CMD_PASS).command;
    pass.text = p3_secret_of(&a->secrets, POP3_SECRET_PASSWORD);
    return wants_pipeline(a, scene) && caps != NULL && (caps->flags & POP3_CAP_USER) != 0 &&
           pop3_engine_pipelines(scene->engine) && pop3_command_check(&pass) == POP3_OK;
}

static p3_move send_user(p3_attempt *a, const p3_scene *scene)
{
    pop3_str name = p3_span(a->options.user, strlen(a->options.user));
    bool ahead = may_pipeline(a, scene);
    p3_move move = send(a, ahead ? P3_LOGIN_USER_AHEAD : P3_LOGIN_USER, POP3_CMD_USER, name);
    move.another = ahead && move.kind == P3_MOVE_SEND;
    return move;
}

/* USER has been answered while PASS is in flight, whose answer ends the login. */
static p3_move note_user(p3_login *login, const p3_scene *scene, const pop3_result *result)
{
    p3_attempt *a = login->attempt;
    login->outcome.pipelined = true;
    a->user_refused = result->status == POP3_ERR_REFUSED;
    if (a->user_refused)
        keep_refusal(login, scene, NULL, result);
    a->stage = P3_LOGIN_SECRET;
    return p3_move_wait();
}

static p3_move send_apop(p3_attempt *a, const p3_scene *scene)
{
    char digest[P3_APOP_DIGEST + 1] = "";
    pop3_status status =
        p3_apop_digest(pop3_engine_timestamp(scene->engine),
                       p3_secret_of(&a->secrets, POP3_SECRET_PASSWORD).data, digest);
    if (status != POP3_OK)
        return end(a, status, "there is no MD5 here", NULL);
    p3_octets_free(&a->text);
    bool ok = p3_octets_add_texts(&a->text, a->options.user, " ", digest, NULL);
    p3_wipe(digest, sizeof digest);
    return ok ? send(a, P3_LOGIN_SECRET, POP3_CMD_APOP, p3_span(a->text.data, a->text.len))
              : p3_move_break(POP3_ERR_MEMORY, NULL);
}

static p3_move send_plain_mechanism(p3_attempt *a, const p3_scene *scene)
{
    return a->choice.mechanism == P3_MECH_USER ? send_user(a, scene) : send_apop(a, scene);
}

static bool is_ascii(pop3_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] > 0x7F)
            return false;
    }
    return true;
}

/* Whether the name and the password are ASCII, as far as they are known. */
static bool has_plain_names(const p3_attempt *a)
{
    const char *user = a->options.user != NULL ? a->options.user : "";
    return is_ascii(p3_span(user, strlen(user))) &&
           is_ascii(p3_secret_of(&a->secrets, POP3_SECRET_PASSWORD));
}

/* ---- AUTH ---- */

static p3_move send_auth(p3_login *login, const p3_scene *scene, bool in_line)
{
    p3_attempt *a = login->attempt;
    pop3_initial_response allowed = a->options.initial_response;
    bool refused =
        a->exchange.two_lines || p3_has_trait(scene->options, POP3_TRAIT_NO_INITIAL_RESPONSE);
    if (allowed == POP3_INITIAL_RESPONSE_AUTO && refused)
        allowed = POP3_INITIAL_RESPONSE_NEVER;
    p3_move move = p3_move_command(POP3_CMD_AUTH);
    const char *secret = p3_secret_of(&a->secrets, p3_mechanism_choice_secret(&a->choice)).data;
    pop3_status status = p3_exchange_begin(&a->exchange, a->choice.mechanism, &a->choice.identity,
                                           secret, in_line, allowed, &move.command);
    const char *complaint = p3_exchange_complaint(&a->exchange);
    if (status != POP3_OK)
        return end(a, status, complaint[0] != '\0' ? complaint : NULL, NULL);
    if (pop3_command_check(&move.command) != POP3_OK)
        return end(a, POP3_ERR_ARGUMENT, "the user's name or the secret is too long for a command",
                   NULL);
    a->stage = P3_LOGIN_AUTH;
    login->outcome.attempts++;
    return move;
}

static p3_move auth_answered(p3_login *login, const p3_scene *scene, const pop3_result *result)
{
    p3_attempt *a = login->attempt;
    bool automatic = a->options.initial_response == POP3_INITIAL_RESPONSE_AUTO;
    const char *complaint = p3_exchange_complaint(&a->exchange);
    const char *why = complaint[0] != '\0' ? complaint : NULL;
    switch (p3_exchange_judge(&a->exchange, result, automatic)) {
    case P3_EXCHANGE_TAKEN:
        return succeed(login, scene, result);
    case P3_EXCHANGE_UNPROVEN:
        return p3_move_break(POP3_ERR_AUTHENTICATION,
                             "the server accepted the login without proving that it knows the "
                             "password: an attacker may be answering");
    case P3_EXCHANGE_BOGUS:
        return p3_move_break(a->exchange.verdict, why);
    case P3_EXCHANGE_GIVEN_UP:
        return end(a, a->exchange.verdict, why, result);
    case P3_EXCHANGE_AGAIN:
        keep_refusal(login, scene, explain(login), result);
        return send_auth(login, scene, false);
    case P3_EXCHANGE_REFUSED:
        return go_on(login, scene, explain(login), result);
    default:
        return end(a, result->status, NULL, result);
    }
}

/* The exchange continues, or has ended the connection. */
static p3_move go_on_with_auth(const p3_attempt *a, pop3_status status)
{
    const char *complaint = p3_exchange_complaint(&a->exchange);
    if (status == POP3_OK)
        return p3_move_wait();
    return p3_move_break(status, complaint[0] != '\0' ? complaint : NULL);
}

p3_move p3_login_challenge(p3_login *login, const p3_scene *scene, pop3_str challenge)
{
    p3_exchange *x = &login->attempt->exchange;
    return go_on_with_auth(login->attempt, p3_exchange_challenge(x, scene->engine, challenge));
}

bool p3_login_reckons(const p3_login *login)
{
    return login->attempt != NULL && login->attempt->exchange.reckons;
}

p3_move p3_login_reckon(p3_login *login, const p3_scene *scene)
{
    p3_exchange *x = &login->attempt->exchange;
    return go_on_with_auth(login->attempt, p3_exchange_reckon(x, scene->engine));
}

/* ---- the order ---- */

/* Sends the first command of the chosen mechanism. RFC 6856 §2.2: names and passwords beyond ASCII
 * require UTF8 before USER and APOP, if the server announces so. */
static p3_move send_first_command(p3_login *login, const p3_scene *scene)
{
    p3_attempt *a = login->attempt;
    const p3_mechanism_info *about = p3_mechanism_about(a->choice.mechanism);
    const pop3_capabilities *caps = pop3_engine_capabilities(scene->engine);
    char note[64];
    snprintf(note, sizeof note, "logging in with %s", about->name);
    p3_trace_note(&scene->options->engine, note);
    login->outcome.mechanism = about->name;
    login->outcome.channel_binding =
        p3_mechanism_is(about, P3_IS_BOUND) ? a->choice.identity.binding_name : "";
    if (p3_mechanism_is(about, P3_IS_SASL))
        return send_auth(login, scene, true);
    p3_exchange_free(&a->exchange);
    if (has_plain_names(a) || a->utf8_asked || caps == NULL ||
        (caps->flags & POP3_CAP_UTF8_USER) == 0)
        return send_plain_mechanism(a, scene);
    return ask_utf8(a);
}

/* The capabilities are known, as far as they will be: chooses the mechanism and begins. */
static p3_move choose(p3_login *login, const p3_scene *scene)
{
    p3_attempt *a = login->attempt;
    p3_means means = means_of(login, scene);
    p3_choice_result v = p3_mechanism_choice_make(&a->choice, &means);
    if (v.status == POP3_OK)
        return send_first_command(login, scene);
    if (v.status != POP3_ERR_AUTHENTICATION)
        return end(a, v.status, v.why, NULL);
    snprintf(a->why, sizeof a->why,
             "the server announced %s before and no longer does: an attacker may be tampering with "
             "the connection",
             p3_mechanism_about(v.gone)->name);
    return p3_move_break(v.status, a->why);
}

static p3_move ask_utf8_or_choose(p3_login *login, const p3_scene *scene)
{
    const pop3_capabilities *caps = pop3_engine_capabilities(scene->engine);
    bool wanted =
        login->attempt->options.utf8 && caps != NULL && (caps->flags & POP3_CAP_UTF8) != 0;
    return wanted ? ask_utf8(login->attempt) : choose(login, scene);
}

/* Whether CAPA is not needed: it is known, would make the server close the connection, or could not
 * change anything about a named mechanism. (Names beyond ASCII may need UTF8 first; USER and PASS
 * are sent together only if PIPELINING is announced.) */
static bool may_do_without_capa(const p3_attempt *a, const p3_scene *scene)
{
    bool plain = a->choice.named == P3_MECH_APOP ||
                 (a->choice.named == P3_MECH_USER && !wants_pipeline(a, scene));
    return pop3_engine_capabilities(scene->engine) != NULL ||
           p3_has_trait(scene->options, POP3_TRAIT_NO_CAPA) || (plain && has_plain_names(a));
}

static p3_move begin_login(p3_login *login, const p3_scene *scene)
{
    p3_attempt *a = login->attempt;
    p3_mechanisms spent = a->choice.spent; /* on another connection */
    a->stage = P3_LOGIN_BEGUN;
    bool known = p3_mechanism_choice_begin(&a->choice, &a->options, scene);
    a->choice.spent = spent;
    if (!known)
        return end(a, POP3_ERR_NOT_OFFERED,
                   "the library does not know the mechanism that was named", NULL);
    if (!may_do_without_capa(a, scene))
        return send(a, P3_LOGIN_CAPA, POP3_CMD_CAPA, p3_span("", 0));
    return ask_utf8_or_choose(login, scene);
}

p3_move p3_login_next(p3_login *login, const p3_scene *scene, const pop3_result *result)
{
    p3_attempt *a = login->attempt;
    switch (a->stage) {
    case P3_LOGIN_NOTHING:
        return begin_login(login, scene);
    case P3_LOGIN_CAPA: /* the server may not know it */
        a->capa_refused = result->status != POP3_OK;
        return ask_utf8_or_choose(login, scene);
    case P3_LOGIN_UTF8: /* refused: names and messages are sent unchanged, as without the extension
                         */
        return a->choice.mechanism == P3_MECH_NONE ? choose(login, scene)
                                                   : send_plain_mechanism(a, scene);
    case P3_LOGIN_USER:
        return result->status == POP3_OK ? send_pass(a, P3_LOGIN_SECRET)
                                         : answered(login, scene, result);
    case P3_LOGIN_USER_AHEAD:
        return send_pass(a, P3_LOGIN_PASS_BEHIND);
    case P3_LOGIN_PASS_BEHIND:
        return note_user(login, scene, result);
    case P3_LOGIN_SECRET:
        return a->user_refused && result->status != POP3_OK ? end_refused(a)
                                                            : answered(login, scene, result);
    case P3_LOGIN_AUTH:
        return auth_answered(login, scene, result);
    default: /* without an answer to CAPA the capabilities remain unknown */
        return end(a, POP3_OK, NULL,
                   &(pop3_result){.command = POP3_CMD_CAPA, .reply = a->taken.reply});
    }
}

/* ---- a connection that ended ---- */

/* Whether the server or the network, not we, ended the connection. */
static bool is_lost(pop3_status ended)
{
    return ended != POP3_ERR_CANCELLED && ended != POP3_ERR_MEMORY &&
           ended != POP3_ERR_AUTHENTICATION;
}

p3_move p3_login_lost(p3_login *login, const p3_scene *scene, pop3_status ended)
{
    p3_attempt *a = login->attempt;
    const pop3_result report = {.command = POP3_CMD_AUTH};
    /* The mechanism's challenge may have reported a failure; the server closed the connection
     * instead of sending -ERR. */
    if (is_lost(ended) && !a->refusal.is_there && a->exchange.verdict == POP3_ERR_REFUSED &&
        p3_exchange_complaint(&a->exchange)[0] != '\0')
        keep_refusal(login, scene, explain(login), &report);
    if (a->refusal.is_there && is_lost(ended))
        return end_refused(a);
    return p3_move_break(ended, NULL);
}

bool p3_login_has_only_heard_capa(const p3_login *login, pop3_command_kind command)
{
    const p3_attempt *a = login->attempt;
    return a != NULL &&
           (a->stage == P3_LOGIN_CAPA || (a->capa_refused && a->choice.others == 0 &&
                                          (command == POP3_CMD_USER || command == POP3_CMD_APOP)));
}

bool p3_login_may_follow_apop(p3_login *login, const p3_scene *scene, pop3_command_kind command)
{
    if (login->attempt == NULL || (command != POP3_CMD_USER && command != POP3_CMD_APOP))
        return false;
    p3_means means = means_of(login, scene);
    return p3_mechanism_choice_leave_apop(&login->attempt->choice, &means,
                                          command == POP3_CMD_APOP);
}

bool p3_login_may_omit_initial(const p3_login *login)
{
    const p3_attempt *a = login->attempt;
    return a != NULL && a->stage == P3_LOGIN_AUTH && a->exchange.two_lines &&
           !a->exchange.challenged;
}

void p3_login_start_over(p3_login *login)
{
    p3_attempt *a = login->attempt;
    if (a == NULL)
        return;
    a->stage = P3_LOGIN_NOTHING;
    a->capa_refused = a->utf8_asked = a->user_refused = false;
    p3_mechanism_choice_begin_again(&a->choice);
}

static p3_mechanism named(const char *name)
{
    return name == NULL ? P3_MECH_NONE : p3_mechanism_named(p3_span(name, strlen(name)));
}

bool pop3_login_mechanism_known(const char *name)
{
    p3_mechanism m = named(name);
    return m != P3_MECH_NONE && p3_mechanism_built(m);
}

unsigned pop3_login_mechanism_needs(const char *name)
{
    static const unsigned secrets[] = {[P3_NEED_NOTHING] = 0,
                                       [P3_NEED_PASSWORD] = POP3_NEEDS_PASSWORD,
                                       [P3_NEED_TOKEN] = POP3_NEEDS_TOKEN};
    const p3_mechanism_info *about = p3_mechanism_about(named(name));
    if (*about->name == '\0')
        return 0;
    return secrets[about->need] | (p3_mechanism_is(about, P3_IS_USERLESS) ? 0 : POP3_NEEDS_USER);
}
