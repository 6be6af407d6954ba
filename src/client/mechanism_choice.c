/* Chooses the mechanism of a login and its channel binding. */
#include "client/mechanism_choice.h"

#include "client/options.h"
#include "client/refusal.h"
#include "core/text.h"

#include <string.h>

/* The most other mechanisms that are tried. */
#define P3_OTHERS_MOST 2

bool p3_mechanism_choice_begin(p3_mechanism_choice *ch, const pop3_login_options *o,
                               const p3_scene *scene)
{
    *ch = (p3_mechanism_choice){
        .identity = {
            .user = o->user,
            .authzid = o->authzid,
            .realm = o->realm,
            .host = o->service_host != NULL ? o->service_host : p3_options_host(scene->options),
            .port = scene->options->port,
        }};
    if (o->mechanism != NULL)
        ch->named = p3_mechanism_named(p3_span(o->mechanism, strlen(o->mechanism)));
    return o->mechanism == NULL || ch->named != P3_MECH_NONE;
}

void p3_mechanism_choice_begin_again(p3_mechanism_choice *ch)
{
    ch->mechanism = P3_MECH_NONE;
    ch->others = 0;
}

bool p3_mechanism_choice_has_refused(const p3_mechanism_choice *ch, p3_mechanism m)
{
    return (ch->spent & p3_mechanism_bit(m)) != 0;
}

pop3_secret_kind p3_mechanism_choice_secret(const p3_mechanism_choice *ch)
{
    return p3_mechanism_about(ch->mechanism)->need == P3_NEED_TOKEN ? POP3_SECRET_TOKEN
                                                                    : POP3_SECRET_PASSWORD;
}

static p3_circumstances circumstances(const p3_mechanism_choice *ch, const p3_means *means)
{
    const pop3_login_options *o = means->options;
    return (p3_circumstances){
        .encrypted = means->scene->tls != NULL,
        .private_line = p3_scene_is_private(means->scene),
        .binding = ch->identity.binding_name != NULL,
        .password = p3_secrets_may_have(means->secrets, POP3_SECRET_PASSWORD),
        .token = p3_secrets_may_have(means->secrets, POP3_SECRET_TOKEN),
        .user = o->user != NULL,
        .allow_plaintext = o->allow_plaintext,
        .never_reveal = o->policy == POP3_LOGIN_NEVER_REVEAL,
    };
}

static p3_mechanisms offered_now(const p3_mechanism_choice *ch, const p3_means *means)
{
    const p3_scene *scene = means->scene;
    bool apop = ch->named == P3_MECH_APOP || !p3_has_trait(scene->options, POP3_TRAIT_NO_APOP);
    return p3_mechanisms_offered(pop3_engine_capabilities(scene->engine),
                                 apop && pop3_engine_timestamp(scene->engine).len > 0);
}

/* ---- the binding ---- */

/* Gets the connection's channel binding of a type, or the best for NULL. Returns whether there is
 * one. */
static bool find_binding(p3_mechanism_choice *ch, const p3_scene *scene, const char *type)
{
    size_t len = 0;
    p3_sasl_identity *id = &ch->identity;
    id->binding_name =
        scene->tls != NULL ? p3_tls_session_binding(scene->tls, type, ch->binding, &len) : NULL;
    id->binding = p3_span((const char *)ch->binding, len);
    return id->binding_name != NULL;
}

/* Finds the first binding to use: the named type, the one that the server is known to use, or the
 * best. */
static void find_first_binding(p3_mechanism_choice *ch, const p3_means *means)
{
    const char *named = means->options->channel_binding;
    bool unique = named == NULL && p3_has_trait(means->scene->options, POP3_TRAIT_BINDS_UNIQUE);
    if (!unique || !find_binding(ch, means->scene, "tls-unique"))
        find_binding(ch, means->scene, named);
    ch->first_binding = ch->identity.binding_name;
}

/* Finds the next binding after a refusal, until all from the first one on have been tried. */
static bool find_next_binding(p3_mechanism_choice *ch, const p3_scene *scene)
{
    static const char *const types[] = {"tls-exporter", "tls-server-end-point", "tls-unique"};
    const size_t count = sizeof types / sizeof *types;
    size_t i = 0;
    while (i < count - 1 && strcmp(types[i], ch->identity.binding_name) != 0)
        i++;
    for (;;) {
        i = (i + 1) % count;
        if (strcmp(types[i], ch->first_binding) == 0)
            return false;
        if (find_binding(ch, scene, types[i]))
            return true;
    }
}

/* Sets, for the protected part of the login, whether the server offers the mechanism's bound form.
 */
static void note_bound_form(p3_mechanism_choice *ch, const p3_means *means)
{
    p3_mechanism bound = p3_mechanism_bound_form(ch->mechanism);
    ch->identity.binding_offered = (offered_now(ch, means) & p3_mechanism_bit(bound)) != 0;
    ch->unbound = false;
}

/* Without a binding, the login says that this side could bind and the server seems not to support
 * it (the flag `y`), as it does when no bound mechanism is announced. Both sides prove the flag, so
 * nobody in between can change it, and a server with channel binding refuses it (RFC 5802 §6): an
 * attacker who refuses bindings gains no more than by removing the mechanism from the list. If the
 * server's key is pinned nobody can be in between, and the login says that it does without (`n`).
 */
bool p3_mechanism_choice_bind_otherwise(p3_mechanism_choice *ch, const p3_means *means)
{
    const p3_scene *scene = means->scene;
    if (means->options->channel_binding != NULL)
        return false;
    if (find_next_binding(ch, scene))
        return true;
    p3_mechanism unbound = p3_mechanism_unbound_form(ch->mechanism);
    if (ch->named != P3_MECH_NONE || (offered_now(ch, means) & p3_mechanism_bit(unbound)) == 0 ||
        !find_binding(ch, scene, ch->first_binding))
        return false;
    ch->spent |= p3_mechanism_bit(ch->mechanism);
    ch->mechanism = unbound;
    ch->unbound = true;
    ch->identity.binding_offered = p3_tls_session_pinned(scene->tls);
    return true;
}

/* ---- the mechanism ---- */

static p3_choice_result choice_result(pop3_status status, const char *why)
{
    return (p3_choice_result){.status = status, .why = why};
}

/* What the caller did not give, if that is why no mechanism can be used: with it, one could be, or
 * would reveal it; otherwise NULL. Under TLS a login without user name and secret may be meant for
 * EXTERNAL. */
static const char *what_is_missing(const p3_means *means, const p3_circumstances *given,
                                   p3_mechanisms offered)
{
    bool secret = given->password || given->token || means->options->secret != NULL;
    p3_circumstances all = *given;
    bool insecure;
    if (given->user ? secret : !secret && given->encrypted)
        return NULL;
    all.user = true;
    if (!secret)
        all.password = all.token = true;
    if (p3_mechanism_pick(offered, &all, &insecure) == P3_MECH_NONE && !insecure)
        return NULL;
    return given->user ? "no password or token was given" : "no user name was given";
}

/* Chooses the best mechanism. */
static p3_choice_result pick(p3_mechanism_choice *ch, const p3_means *means, p3_mechanisms offered)
{
    p3_circumstances about = circumstances(ch, means);
    bool insecure;
    bool unused;
    p3_mechanism best = p3_mechanism_pick(offered | means->before, &about, &unused);
    p3_mechanism m = p3_mechanism_pick(offered, &about, &insecure);
    if (p3_mechanism_weaker(m, best))
        return (p3_choice_result){.status = POP3_ERR_AUTHENTICATION, .gone = best};
    if (m == P3_MECH_NONE && insecure)
        return choice_result(POP3_ERR_INSECURE,
                             "every mechanism that the server offers would reveal the "
                             "password or token to eavesdroppers");
    const char *why = m == P3_MECH_NONE ? what_is_missing(means, &about, offered) : NULL;
    if (why != NULL)
        return choice_result(POP3_ERR_ARGUMENT, why);
    if (m == P3_MECH_NONE)
        return choice_result(POP3_ERR_NOT_OFFERED,
                             "the server offers no mechanism that can be used here");
    ch->mechanism = m;
    return choice_result(POP3_OK, NULL);
}

/* Why the mechanism that the caller named cannot be used. */
static p3_choice_result judge_named(const p3_mechanism_choice *ch, const p3_means *means,
                                    p3_mechanisms offered)
{
    const p3_mechanism_info *about = p3_mechanism_about(ch->named);
    const pop3_login_options *o = means->options;
    bool announced = (offered & p3_mechanism_bit(ch->named)) != 0;
    if (!p3_mechanism_built(ch->named))
        return choice_result(POP3_ERR_NOT_OFFERED, "this build does not have the mechanism");
    if (ch->named == P3_MECH_APOP && !announced)
        return choice_result(POP3_ERR_NOT_OFFERED,
                             "the greeting has no timestamp, so the server does not offer APOP");
    if (p3_mechanism_is(about, P3_IS_SASL) && !announced &&
        pop3_engine_capabilities(means->scene->engine) != NULL)
        return choice_result(POP3_ERR_NOT_OFFERED, "the server does not announce the mechanism");
    if (p3_mechanism_is(about, P3_IS_BOUND) && ch->identity.binding_name == NULL)
        return choice_result(POP3_ERR_NOT_OFFERED,
                             "the connection has no TLS, or no channel binding of "
                             "the type that the mechanism needs");
    if (o->user == NULL && !p3_mechanism_is(about, P3_IS_USERLESS))
        return choice_result(POP3_ERR_ARGUMENT, "no user name was given");
    if (p3_mechanism_is(about, P3_IS_REVEALING) && !p3_scene_is_private(means->scene) &&
        !o->allow_plaintext)
        return choice_result(POP3_ERR_INSECURE,
                             "the mechanism would reveal the password or token to eavesdroppers");
    if (p3_mechanism_is(about, P3_IS_REVEALING) && o->policy == POP3_LOGIN_NEVER_REVEAL)
        return choice_result(POP3_ERR_INSECURE,
                             "the mechanism reveals the password or token to the server");
    return choice_result(POP3_OK, NULL);
}

/* Gets the secret that the mechanism needs. */
static pop3_status fetch_secret(const p3_mechanism_choice *ch, const p3_means *means)
{
    if (p3_mechanism_about(ch->mechanism)->need == P3_NEED_NOTHING)
        return POP3_OK;
    return p3_secrets_fetch(means->secrets, p3_mechanism_choice_secret(ch), means->options->user);
}

p3_choice_result p3_mechanism_choice_make(p3_mechanism_choice *ch, const p3_means *means)
{
    p3_mechanisms offered = offered_now(ch, means) & ~ch->spent;
    bool named = ch->named != P3_MECH_NONE;
    pop3_status secret;
    find_first_binding(ch, means);
    do {
        if (named)
            ch->mechanism = ch->named;
        p3_choice_result v = named ? judge_named(ch, means, offered) : pick(ch, means, offered);
        if (v.status != POP3_OK)
            return v;
        secret = fetch_secret(ch, means);
    } while (secret == POP3_ERR_NOT_OFFERED && !named); /* there may be one of the other kind */
    note_bound_form(ch, means);
    if (secret == POP3_ERR_CANCELLED)
        return choice_result(secret, "no password or token was given");
    if (secret == POP3_ERR_ARGUMENT || secret == POP3_ERR_NOT_OFFERED)
        return choice_result(
            POP3_ERR_ARGUMENT,
            "the mechanism needs a password or token, which is missing, too long, not "
            "UTF-8, or contains CR, LF or NUL");
    return choice_result(secret, NULL);
}

/* Whether another mechanism may succeed after a refusal. [AUTH] says that the credentials are wrong
 * (RFC 3206 §4), but APOP has a separate secret (RFC 1939 §7): Mailutils sends [AUTH] for users who
 * have none, and whose password is right. */
static bool may_work_otherwise(const p3_mechanism_choice *ch, const pop3_reply *reply)
{
    return p3_refusal_is_vague(reply) ||
           (ch->mechanism == P3_MECH_APOP && reply->code == POP3_CODE_AUTH);
}

bool p3_mechanism_choice_try_another(p3_mechanism_choice *ch, const p3_means *means,
                                     const pop3_reply *reply)
{
    if (!may_work_otherwise(ch, reply) || ch->named != P3_MECH_NONE || ch->others >= P3_OTHERS_MOST)
        return false;
    p3_circumstances about = circumstances(ch, means);
    ch->spent |= p3_mechanism_bit(ch->mechanism);
    p3_mechanism_choice other = *ch;
    other.mechanism = p3_mechanism_after(ch->mechanism, offered_now(ch, means), ch->spent, &about);
    if (other.mechanism == P3_MECH_NONE || fetch_secret(&other, means) != POP3_OK)
        return false;
    ch->mechanism = other.mechanism;
    ch->others++;
    note_bound_form(ch, means);
    return true;
}

bool p3_mechanism_choice_leave_apop(p3_mechanism_choice *ch, const p3_means *means, bool at_apop)
{
    if (ch->named != P3_MECH_NONE)
        return false;
    if (!at_apop)
        return p3_mechanism_choice_has_refused(ch, P3_MECH_APOP) && ch->others > 0;
    p3_circumstances about = circumstances(ch, means);
    if (p3_mechanism_after(P3_MECH_APOP, offered_now(ch, means), ch->spent, &about) == P3_MECH_NONE)
        return false;
    ch->spent |= p3_mechanism_bit(P3_MECH_APOP);
    return true;
}
