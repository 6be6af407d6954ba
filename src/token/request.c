/* A request to a token endpoint, and the meaning of its answer. */
#include "token/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "support/erase_text.h"

#define P3_TOKEN_MOST    32768                       /* octets of a token */
#define P3_LIFETIME_MOST ((int64_t)10 * 365 * 86400) /* seconds: longer is not believed */

/* ---- what errors mean ---- */

/* The meaning of an error code, and the advice, in which %s stands for the account. */
typedef struct p3_token_meaning {
    const char *code;
    int exit;
    const char *meaning;
    const char *advice;
} p3_token_meaning;

static const p3_token_meaning meanings[] = {
    /* RFC 6749 §5.2 */
    {"invalid_request", EX_PROTOCOL, "the provider does not understand the request",
     "check provider, issuer and scope"},
    {"invalid_client", EX_NOPERM, "the provider does not know the client, or its secret is wrong",
     "check client-id and client-secret-file"},
    {"invalid_grant", EX_NOPERM, "the permission is no longer valid", "run: pop3 authorize %s"},
    {"unauthorized_client", EX_NOPERM, "the client may not ask in this way",
     "allow it where the client is registered"},
    {"unsupported_grant_type", EX_UNAVAILABLE, "the provider does not know this way",
     "run `pop3 authorize %s` with --device or --paste, or without"},
    {"invalid_scope", EX_CONFIG, "the provider does not give this scope",
     "check scope, and what the client is registered for"},
    /* RFC 6749 §4.1.2.1 */
    {"access_denied", EX_NOPERM, "the permission was declined, by you or an administrator",
     "run: pop3 authorize %s"},
    {"unsupported_response_type", EX_UNAVAILABLE, "the provider does not know this way",
     "run `pop3 authorize %s` with --device"},
    {"server_error", EX_TEMPFAIL, "the provider has an error of its own", "try again later"},
    {"temporarily_unavailable", EX_TEMPFAIL, "the provider cannot answer now", "try again later"},
    /* RFC 8628 §3.5 */
    {"expired_token", EX_NOPERM, "the code was not entered in time", "run: pop3 authorize %s"},
    {"authorization_pending", EX_TEMPFAIL, "the code has not been entered yet", "enter the code"},
    {"slow_down", EX_TEMPFAIL, "the provider was asked too often", "try again later"},
    /* RFC 6750 §3.1, RFC 7009 §2.2.1, RFC 7591 §3.2.2 */
    {"insufficient_scope", EX_NOPERM, "the permission does not cover this",
     "run: pop3 authorize %s"},
    {"unsupported_token_type", EX_UNAVAILABLE, "the provider cannot revoke this token",
     "withdraw the permission at the provider"},
    {"invalid_redirect_uri", EX_CONFIG, "the redirect address is not the registered one",
     "register http://127.0.0.1 for the client"},
    {"redirect_uri_mismatch", EX_CONFIG, "the redirect address is not the registered one",
     "register http://127.0.0.1 for the client"},
    {"invalid_client_metadata", EX_UNAVAILABLE, "the provider does not register such a client",
     "register one by hand, and set client-id"},
    /* OpenID Connect Core §3.1.2.6, as Microsoft answers them to a refresh, too */
    {"interaction_required", EX_NOPERM, "the provider requires another sign-in",
     "run: pop3 authorize %s"},
    {"login_required", EX_NOPERM, "the provider requires another sign-in",
     "run: pop3 authorize %s"},
    {"consent_required", EX_NOPERM, "the provider requires another consent",
     "run: pop3 authorize %s"},
    /* Google's */
    {"deleted_client", EX_NOPERM, "the client was deleted",
     "register another, and set client-id and client-secret-file"},
    {"disabled_client", EX_NOPERM, "the client was disabled", "see what the provider wrote to you"},
    {"admin_policy_enforced", EX_NOPERM, "an administrator's policy forbids it",
     "ask the administrator"},
    {"org_internal", EX_NOPERM, "the client is for another organization's users",
     "register a client that is open to this user"},
};

/* If the client had registered itself. */
static const p3_token_meaning forgotten = {
    "invalid_client", EX_NOPERM, "the provider has forgotten the client that was registered there",
    "run: pop3 authorize %s --revoke; then authorize it again"};

static const p3_token_meaning otherwise = {"", EX_UNAVAILABLE, "the provider refuses",
                                           "see what the provider says about it"};

static const p3_token_meaning *meaning_of(const p3_token_account *a, const char *code)
{
    if (a->client_id == NULL && strcmp(code, forgotten.code) == 0)
        return &forgotten;
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        if (strcmp(meanings[i].code, code) == 0)
            return &meanings[i];
    }
    return &otherwise;
}

/* Likely reasons why a permission has ended. */
static const char *causes_of(const p3_token_account *a, char *out, size_t size)
{
    const char *own = a->provider != NULL ? a->provider->revoked_by : NULL;
    snprintf(out, size,
             ": the password was changed, the consent withdrawn, or it was not used for long%s%s",
             own != NULL ? "; or " : "", own != NULL ? own : "");
    return out;
}

/* Consecutive octets of a secret that are recognized. */
#define P3_TELLING 8

/* Whether a text contains a part of a secret: a provider may cut what it repeats. */
static bool tells(const char *text, const char *secret)
{
    char part[P3_TELLING + 1];
    size_t len = strlen(text);
    for (size_t i = 0; secret != NULL && i + P3_TELLING <= len; i++) {
        memcpy(part, text + i, P3_TELLING);
        part[P3_TELLING] = '\0';
        if (strstr(secret, part) != NULL)
            return true;
    }
    return false;
}

static bool is_secret(const char *name)
{
    static const char *const secrets[] = {
        "client_secret", "code", "code_verifier", "device_code", "refresh_token", "token", NULL};
    for (const char *const *s = secrets; *s != NULL; s++) {
        if (strcmp(*s, name) == 0)
            return true;
    }
    return false;
}

/* The provider's text, as far as it may be shown. */
static const char *public_text(const char *text, const p3_token_sent *sent)
{
    bool is_told = text != NULL && !tells(text, sent->secret);
    for (size_t i = 0; is_told && sent->form != NULL && i < sent->form->count; i++)
        is_told = !is_secret(sent->form->at[i].name) || !tells(text, sent->form->at[i].value);
    return is_told ? text : NULL;
}

void p3_token_explain(const p3_token_account *a, const p3_token_sent *sent, const char *doing,
                      const char *code, const char *details, p3_problem *why)
{
    static const p3_token_sent nothing;
    const p3_token_sent *s = sent != NULL ? sent : &nothing;
    const char *shown_code = public_text(code, s);
    const char *shown = public_text(details, s);
    const p3_token_meaning *m = meaning_of(a, code);
    char advice[300];
    char causes[300] = "";
    const char *hole = strstr(m->advice, "%s");
    size_t head = hole != NULL ? (size_t)(hole - m->advice) : strlen(m->advice);
    snprintf(advice, sizeof advice, "%.*s%s%s", (int)head, m->advice, hole != NULL ? a->word : "",
             hole != NULL ? hole + 2 : "");
    if (strcmp(m->code, "invalid_grant") == 0)
        causes_of(a, causes, sizeof causes);
    p3_problem_set(why, m->exit, "%s: %s%s (%.60s%s%.160s); %s", doing, m->meaning, causes,
                   shown_code != NULL ? shown_code : "***", shown != NULL ? ": " : "",
                   shown != NULL ? shown : "", advice);
}

/* ---- judging an answer ---- */

static p3_token_outcome judge_answer(const p3_token_account *a, const p3_http_answer *http,
                                     const p3_token_sent *sent, const char *doing,
                                     p3_token_reply *reply, p3_problem *why)
{
    json_t *answer = p3_members_read(http->body, http->len);
    const char *code = p3_member_text(answer, "error");
    p3_token_outcome outcome = P3_TOKEN_LATER;
    reply->retry_after = http->retry_after;
    if (http->status == 200 && answer != NULL && code == NULL) {
        reply->granted = answer;
        return P3_TOKEN_GRANTED;
    }
    if (http->status == 200 && code == NULL) {
        p3_problem_set(why, EX_PROTOCOL, "%s: the provider's answer is not JSON; check issuer",
                       doing);
        outcome = P3_TOKEN_LOST;
    } else if (http->status >= 300 && http->status < 400) {
        p3_problem_set(why, EX_PROTOCOL,
                       "%s: the provider answers with a redirect, which is not followed (HTTP "
                       "%ld); check issuer",
                       doing, http->status);
        outcome = P3_TOKEN_REFUSED;
    } else if (code != NULL && http->status < 500 && http->status != 429) {
        /* Yahoo and others send errors with status 200. */
        snprintf(reply->code, sizeof reply->code, "%s", code);
        p3_token_explain(a, sent, doing, code, p3_member_text(answer, "error_description"), why);
        outcome = why->exit == EX_TEMPFAIL && strcmp(code, "slow_down") != 0 &&
                          strcmp(code, "authorization_pending") != 0
                      ? P3_TOKEN_LATER
                      : P3_TOKEN_REFUSED;
    } else if (http->status >= 500 || http->status == 429) {
        p3_problem_set(why, EX_TEMPFAIL,
                       "%s: the provider cannot answer now (HTTP %ld); try again later", doing,
                       http->status);
    } else {
        p3_problem_set(why, EX_PROTOCOL, "%s: the provider answers HTTP %ld; check issuer", doing,
                       http->status);
        outcome = P3_TOKEN_REFUSED;
    }
    p3_members_free(answer);
    return outcome;
}

/* ---- asking ---- */

p3_token_outcome p3_token_request(const p3_token_account *a, const p3_token_client *client,
                                  p3_form *form, const char *doing, p3_token_reply *reply,
                                  p3_problem *why)
{
    bool basic = client->basic && client->secret != NULL;
    p3_http_request request = {.url = client->endpoint};
    p3_http_answer answer;
    p3_token_outcome outcome = P3_TOKEN_LATER;
    *reply = (p3_token_reply){0};
    if (!basic) {
        p3_form_add(form, "client_id", client->id);
        p3_form_add(form, "client_secret", client->secret);
    }
    char *body = p3_form_encode(form);
    char *user = basic ? p3_form_encode_text(client->id) : NULL;
    char *password = basic ? p3_form_encode_text(client->secret) : NULL;
    if (body == NULL || (basic && (user == NULL || password == NULL))) {
        p3_problem_set(why, EX_OSERR, "%s: out of memory", doing);
    } else {
        request.body = body;
        request.user = user;
        request.password = password;
        p3_http_end end = p3_http_send(&a->way, &request, doing, &answer, why);
        if (end == P3_HTTP_ANSWERED)
            outcome =
                judge_answer(a, &answer, &(p3_token_sent){form, client->secret}, doing, reply, why);
        else if (end == P3_HTTP_LOST)
            outcome = P3_TOKEN_LOST;
        p3_http_answer_free(&answer);
    }
    p3_erase_text(body);
    p3_erase_text(user);
    p3_erase_text(password);
    return outcome;
}

/* ---- taking tokens ---- */

/* RFC 6750 §2.1 has only visible ASCII. */
static bool is_token(const char *text)
{
    size_t len = 0;
    for (; text != NULL && text[len] > ' ' && text[len] <= '~'; len++)
        continue;
    return len > 0 && text[len] == '\0' && len < P3_TOKEN_MOST;
}

bool p3_token_record_answer(const json_t *granted, int64_t asked, const char *doing,
                            p3_token_record *record, p3_problem *why)
{
    const char *access = p3_member_text(granted, "access_token");
    const char *refresh = p3_member_text(granted, "refresh_token");
    const char *scope = p3_member_text(granted, "scope");
    const char *type = p3_member_text(granted, "token_type");
    int64_t lifetime = p3_member_number(granted, "expires_in", P3_LIFETIME_MOST);
    if (!is_token(access) || (refresh != NULL && strlen(refresh) >= P3_TOKEN_MOST))
        return p3_problem_set(why, EX_PROTOCOL,
                              "%s: the provider's answer contains no usable token", doing);
    if (type != NULL && strcasecmp(type, "Bearer") != 0)
        return p3_problem_set(why, EX_PROTOCOL,
                              "%s: the provider gives a token of type %.40s, and POP3 needs Bearer",
                              doing, type);
    bool ok = p3_token_replace(&record->tokens.access, access) &&
              (refresh == NULL || p3_token_replace(&record->tokens.refresh, refresh)) &&
              (scope == NULL || p3_token_replace(&record->tokens.scope, scope));
    record->tokens.obtained = asked;
    record->tokens.expires = lifetime > 0 ? asked + lifetime : 0;
    return ok || p3_problem_set(why, EX_OSERR, "%s: out of memory", doing);
}
