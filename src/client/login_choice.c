/* Which method a login uses, by what the server offers and what the caller allows, and the secret
 * for it. */
#include "client/login.h"

#include "core/text.h"

#include <stdio.h>
#include <string.h>

/* Room for a secret from the callback: what fits an AUTH response of 65,536 octets in base64. */
#define P3_MAX_SECRET 49152

bool p3_secret_ok(pop3_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '\r' || s.data[i] == '\n' || s.data[i] == '\0')
            return false;
    }
    return s.len <= P3_MAX_SECRET && p3_is_utf8(s);
}

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
        why = "there is no TLS connection that the method could be bound to, or nothing of the "
              "type that was named";
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
        if (!p3_secret_ok(p3_span(secret->data, len)))
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

/* What a login can be bound to this connection with: the type, or NULL for the best. Returns
 * whether there is something of the kind. */
static bool find_binding(pop3_client *c, const char *type)
{
    p3_login *l = c->login;
    size_t len = 0;
    l->identity.binding_name = NULL;
    if (c->stream.tls != NULL)
        l->identity.binding_name = p3_tls_session_binding(c->stream.tls, type, l->binding, &len);
    l->identity.binding = p3_span((const char *)l->binding, len);
    return l->identity.binding_name != NULL;
}

/* Finds the first thing to bind with: the type that was named, that the server is known to use, or
 * the best. */
static void find_first_binding(pop3_client *c)
{
    const char *named = c->login->options.channel_binding;
    bool unique = named == NULL && p3_has_trait(c, POP3_TRAIT_BINDS_UNIQUE);
    if (!unique || !find_binding(c, "tls-unique"))
        find_binding(c, named);
    c->login->first_binding = c->login->identity.binding_name;
}

static p3_mechanisms offered_now(const pop3_client *c)
{
    const p3_login *l = c->login;
    bool apop = l->named == P3_MECH_APOP || !p3_has_trait(c, POP3_TRAIT_NO_APOP);
    return p3_mechanisms_offered(pop3_engine_capabilities(c->engine),
                                 apop && pop3_engine_timestamp(c->engine).len > 0);
}

/* Begins with the method that was picked. */
static void run(pop3_client *c)
{
    p3_login *l = c->login;
    p3_mechanism bound = p3_mechanism_bound_form(l->mechanism);
    l->identity.binding_offered = (offered_now(c) & p3_mechanism_bit(bound)) != 0;
    l->unbound = false;
    p3_login_run(c);
}

void p3_login_choose(pop3_client *c)
{
    p3_login *l = c->login;
    p3_mechanisms offered = offered_now(c) & ~l->spent;
    find_first_binding(c);
    bool again = true;
    while (again) {
        if (!(l->named != P3_MECH_NONE ? check_named(c, offered) : pick(c, offered)))
            return;
        if (get_secret(c, &again)) {
            run(c);
            return;
        }
    }
}

/* ---- after a refusal ---- */

/* How many other methods are tried. */
#define P3_OTHERS_MOST 2

/* By RFC 5802 §7, or in Cyrus's words for a protocol error, which a wrong password is not. */
bool p3_login_binding_was_refused(const p3_login *l, const pop3_result *result)
{
    static const char *const words[] = {"unsupported-channel-binding-type",
                                        "channel-bindings-dont-match",
                                        "channel-binding-not-supported"};
    if (!p3_mechanism_about(l->mechanism)->bound || l->sasl == NULL)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(l->sasl->complaint, words[i]) == 0)
            return true;
    }
    return l->sasl->steps <= 1 || p3_refusal_has(&result->reply, "bad protocol");
}

/* Finds what to bind with after a type was refused: the next that the connection has, until all
 * from the first one on have been tried. */
static bool find_next_binding(pop3_client *c)
{
    static const char *const types[] = {"tls-exporter", "tls-server-end-point", "tls-unique"};
    const size_t count = sizeof types / sizeof *types;
    size_t i = 0;
    while (i < count - 1 && strcmp(types[i], c->login->identity.binding_name) != 0)
        i++;
    for (;;) {
        i = (i + 1) % count;
        if (strcmp(types[i], c->login->first_binding) == 0)
            return false;
        if (find_binding(c, types[i]))
            return true;
    }
}

/* Tries a login whose binding was refused with the next type, or without. False when there is
 * nothing left to try.
 *
 * Without, the login says that this side could bind and the other seems not to (the flag `y`), as
 * it does when no bound method is announced at all. The flag is a part of what both sides prove, so
 * that nobody in between can change it, and a server that does know its own channel binding refuses
 * it (RFC 5802 §6): somebody who refuses the binding in the server's place gains nothing that
 * taking the method out of the list would not. Where the server's key is pinned nobody can stand in
 * between, and the login says that it does without (`n`). */
static bool bind_otherwise(pop3_client *c)
{
    p3_login *l = c->login;
    if (l->options.channel_binding != NULL)
        return false;
    if (find_next_binding(c)) {
        p3_login_run(c);
        return true;
    }
    p3_mechanism unbound = p3_mechanism_unbound_form(l->mechanism);
    if (l->named != P3_MECH_NONE || (offered_now(c) & p3_mechanism_bit(unbound)) == 0 ||
        !find_binding(c, l->first_binding))
        return false;
    l->spent |= p3_mechanism_bit(l->mechanism);
    l->mechanism = unbound;
    l->unbound = true;
    l->identity.binding_offered = p3_tls_session_pinned(c->stream.tls);
    p3_login_run(c);
    return true;
}

/* Picks another method and gets its secret, which may be asked for once more. */
static bool pick_another(pop3_client *c)
{
    p3_login *l = c->login;
    p3_circumstances about = circumstances(c);
    l->spent |= p3_mechanism_bit(l->mechanism);
    p3_mechanism m = p3_mechanism_after(l->mechanism, offered_now(c), l->spent, &about);
    if (m == P3_MECH_NONE)
        return false;
    p3_need need = p3_mechanism_about(m)->need;
    if (need != P3_NEED_NOTHING &&
        fetch_secret(c, need == P3_NEED_TOKEN ? POP3_SECRET_TOKEN : POP3_SECRET_PASSWORD) !=
            POP3_OK)
        return false;
    l->mechanism = m;
    return true;
}

/* Whether a refusal leaves it open that another method works. [AUTH] says that the credentials are
 * wrong (RFC 3206 §4), but those of APOP are a secret of their own (RFC 1939 §7): Mailutils says it
 * of users who have none, and whose password is good. */
static bool may_work_otherwise(const p3_login *l, const pop3_reply *reply)
{
    return p3_refusal_is_vague(reply) ||
           (l->mechanism == P3_MECH_APOP && reply->code == POP3_CODE_AUTH);
}

bool p3_login_may_follow_apop(pop3_client *c)
{
    p3_login *l = c->login;
    pop3_command_kind kind = POP3_CMD_USER; /* when it has not even been sent */
    if (c->phase != P3_PHASE_LOGIN || l == NULL || l->named != P3_MECH_NONE || c->used)
        return false;
    (void)pop3_engine_current(c->engine, &kind, NULL);
    bool refused = (l->spent & p3_mechanism_bit(P3_MECH_APOP)) != 0;
    p3_circumstances about = circumstances(c);
    if (kind == POP3_CMD_USER)
        return refused && l->others > 0;
    if (kind != POP3_CMD_APOP ||
        p3_mechanism_after(P3_MECH_APOP, offered_now(c), l->spent, &about) == P3_MECH_NONE)
        return false;
    l->spent |= p3_mechanism_bit(P3_MECH_APOP);
    return true;
}

void p3_login_go_on(pop3_client *c, const char *why, const pop3_result *result)
{
    p3_login *l = c->login;
    bool binding = p3_login_binding_was_refused(l, result);
    bool open = may_work_otherwise(l, &result->reply);
    p3_login_keep_refusal(c, why, result);
    if (binding && bind_otherwise(c))
        return;
    if (!binding && open && l->named == P3_MECH_NONE && l->others < P3_OTHERS_MOST &&
        pick_another(c)) {
        l->others++;
        run(c);
        return;
    }
    p3_login_end_refused(c);
}
