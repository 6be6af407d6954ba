/* The authorization code grant with PKCE (RFC 6749 §4.1, RFC 7636). */
#include "token/authorize.h"

#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "support/erase_text.h"
#include "system/erase.h"
#include "token/loopback.h"
#include "token/permission.h"

#define P3_WAIT_MS (10 * 60 * 1000) /* for the user to sign in */
#define P3_RANDOM  32               /* octets behind the verifier and the state: 43 characters */

static const char doing[] = "asking for the permission";

/* One attempt. */
typedef struct p3_authorization {
    p3_permission permission;
    char redirect[64];
    char verifier[48];
    char challenge[48];
    char state[48];
} p3_authorization;

static bool make_random(char out[static 48])
{
    unsigned char octets[P3_RANDOM];
    if (RAND_bytes(octets, sizeof octets) != 1)
        return false;
    p3_base64url(octets, sizeof octets, out);
    p3_erase(octets, sizeof octets);
    return true;
}

static bool make_secrets(p3_authorization *t, p3_problem *why)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    if (!make_random(t->verifier) || !make_random(t->state))
        return p3_problem_set(why, EX_OSERR, "%s: no random numbers", doing);
    SHA256((const unsigned char *)t->verifier, strlen(t->verifier), hash);
    p3_base64url(hash, sizeof hash, t->challenge);
    return true;
}

/* The user's address, without the prefix by which Gmail shows the last 30 days. */
static const char *address_of(const char *user)
{
    static const char mark[] = "recent:";
    bool marked = user != NULL && strncmp(user, mark, strlen(mark)) == 0;
    return marked ? user + strlen(mark) : user;
}

/* Further parameters. A provider without a row needs a request for consent if the permission is to
 * outlast the session (OpenID Connect Core §11): otherwise it ignores offline_access. */
static const char *parameters_of(const p3_permission *p)
{
    const char *scope = p3_permission_scope(p);
    if (p->account->provider != NULL)
        return p->account->provider->parameters;
    return scope != NULL && p3_words_have(scope, "offline_access") ? "prompt=consent" : NULL;
}

/* The address to open. NULL when out of memory. */
static char *make_url(const p3_authorization *t)
{
    const p3_permission *p = &t->permission;
    const p3_token_account *a = p->account;
    const char *more = parameters_of(p);
    p3_form form = {0};
    char *url = NULL;
    p3_form_add(&form, "response_type", "code");
    p3_form_add(&form, "client_id", p->client_id);
    p3_form_add(&form, "redirect_uri", t->redirect);
    p3_form_add(&form, "scope", p3_permission_scope(p));
    p3_form_add(&form, "state", t->state);
    p3_form_add(&form, "code_challenge", t->challenge);
    p3_form_add(&form, "code_challenge_method", "S256");
    p3_form_add(&form, "login_hint", address_of(a->user));
    char *query = p3_form_encode(&form);
    if (query == NULL || asprintf(&url, "%s%s%s%s%s", p->at.authorization,
                                  strchr(p->at.authorization, '?') != NULL ? "&" : "?", query,
                                  more != NULL ? "&" : "", more != NULL ? more : "") < 0)
        url = NULL;
    free(query);
    return url;
}

static bool begin_attempt(p3_authorization *t, const p3_token_account *a, p3_problem *why)
{
    if (!make_secrets(t, why) || !p3_permission_begin(&t->permission, a, why))
        return false;
    return t->permission.at.authorization != NULL ||
           p3_problem_set(why, EX_UNAVAILABLE,
                          "%s: the provider names no place to sign in; try --device", doing);
}

static bool show_url(const p3_authorization *t, const p3_token_dialogue *d, p3_problem *why)
{
    char *url = make_url(t);
    if (url == NULL)
        return p3_problem_set(why, EX_OSERR, "%s: out of memory", doing);
    d->show(d->ctx, url, NULL);
    free(url);
    return true;
}

/* ---- what the browser brings back ---- */

/* Whether the answer is to this request, which one that was pasted need not be, and from whom it
 * was sent to. */
static bool check_answer(const p3_authorization *t, const char *query, p3_problem *why)
{
    bool twice;
    bool ok = true;
    char *state = p3_form_find(query, "state", &twice);
    char *issuer = p3_form_find(query, "iss", &twice);
    const char *expected = t->permission.at.issuer;
    if (state == NULL || strcmp(state, t->state) != 0)
        ok = p3_problem_set(why, EX_NOPERM,
                            "%s: the answer belongs to another request (its state differs); it was "
                            "not used; run: pop3 authorize %s",
                            doing, t->permission.account->word);
    else if (twice || (issuer != NULL && expected != NULL && strcmp(issuer, expected) != 0) ||
             (issuer == NULL && t->permission.at.names_issuer))
        ok = p3_problem_set(why, EX_NOPERM,
                            "%s: the answer does not come from %.200s but from %.200s (RFC 9207); "
                            "it was not used",
                            doing, expected != NULL ? expected : "the provider",
                            issuer != NULL ? issuer : "nobody who is named");
    free(state);
    free(issuer);
    return ok;
}

/* The code in the answer; NULL with a problem. */
static char *code_of(const p3_authorization *t, const char *query, p3_problem *why)
{
    bool twice;
    char *error = p3_form_find(query, "error", &twice);
    char *details = p3_form_find(query, "error_description", &twice);
    char *code = p3_form_find(query, "code", &twice);
    if (error != NULL) {
        p3_token_explain(t->permission.account, NULL, doing, error, details, why);
        p3_erase_text(code);
        code = NULL;
    } else if (code == NULL || code[0] == '\0') {
        p3_problem_set(why, EX_PROTOCOL, "%s: the answer contains no code", doing);
        p3_erase_text(code);
        code = NULL;
    }
    free(error);
    free(details);
    return code;
}

/* Exchanges the code for tokens, and stores them. */
static bool redeem(const p3_authorization *t, const char *code, p3_problem *why)
{
    p3_form form = {0};
    p3_token_reply reply;
    int64_t now = (int64_t)time(NULL);
    p3_form_add(&form, "grant_type", "authorization_code");
    p3_form_add(&form, "code", code);
    p3_form_add(&form, "redirect_uri", t->redirect);
    p3_form_add(&form, "code_verifier", t->verifier);
    bool ok = p3_permission_ask(&t->permission, &form, doing, &reply, why) == P3_TOKEN_GRANTED &&
              p3_permission_keep(&t->permission, reply.granted, now, doing, why);
    p3_members_free(reply.granted);
    return ok;
}

static bool use_answer(const p3_authorization *t, const char *query, p3_problem *why)
{
    char *code = check_answer(t, query, why) ? code_of(t, query, why) : NULL;
    bool ok = code != NULL && redeem(t, code, why);
    p3_erase_text(code);
    return ok;
}

static void end(p3_authorization *t)
{
    p3_permission_end(&t->permission);
    p3_erase(t->verifier, sizeof t->verifier);
    p3_erase(t->state, sizeof t->state);
}

/* ---- by a browser on this machine ---- */

bool p3_token_authorize(const p3_token_account *a, const p3_token_dialogue *d, p3_problem *why)
{
    p3_authorization t = {0};
    uint16_t port;
    const char *base = a->provider != NULL ? a->provider->redirect : "http://127.0.0.1";
    if (strncmp(base, "http://", 7) != 0)
        return p3_problem_set(
            why, EX_CONFIG,
            "%s: %s does not redirect a browser to this machine; run: pop3 authorize %s --paste",
            doing, a->provider->title, a->word);
    int listener = p3_loopback_listen(&port, why);
    if (listener < 0)
        return false;
    snprintf(t.redirect, sizeof t.redirect, "%s:%u", base, port);
    bool ok = begin_attempt(&t, a, why) && show_url(&t, d, why);
    if (!ok)
        p3_loopback_close(listener);
    char *query = ok ? p3_loopback_receive(listener, "/", t.state, P3_WAIT_MS, why) : NULL;
    ok = query != NULL && use_answer(&t, query, why);
    p3_erase_text(query);
    end(&t);
    return ok;
}

/* ---- by a browser anywhere ---- */

/* The query of a pasted address. Providers that show a code instead ("oob") have it pasted alone.
 */
static bool use_pasted(const p3_authorization *t, char *pasted, p3_problem *why)
{
    char *text = pasted + strspn(pasted, " \t");
    text[strcspn(text, " \t\r\n")] = '\0';
    char *query = strchr(text, '?');
    if (query != NULL) {
        query[1 + strcspn(query + 1, "#")] = '\0';
        return use_answer(t, query + 1, why);
    }
    if (strcmp(t->redirect, "oob") == 0 && text[0] != '\0')
        return redeem(t, text, why); /* only PKCE binds it to this request */
    return p3_problem_set(why, EX_USAGE,
                          "%s: what was pasted is not the address that the browser was sent to: it "
                          "begins with %s",
                          doing, t->redirect);
}

bool p3_token_authorize_pasted(const p3_token_account *a, const p3_token_dialogue *d,
                               p3_problem *why)
{
    p3_authorization t = {0};
    const char *base = a->provider != NULL ? a->provider->redirect : "http://127.0.0.1";
    /* Nobody listens there: the browser shows an error, and the address. */
    snprintf(t.redirect, sizeof t.redirect, "%s%s", base,
             strncmp(base, "http://", 7) == 0 ? ":1" : "");
    bool ok = begin_attempt(&t, a, why) && show_url(&t, d, why);
    char *pasted = ok ? d->ask(d->ctx) : NULL;
    if (ok && pasted == NULL)
        ok = p3_problem_set(why, EX_NOINPUT, "%s: nothing was pasted", doing);
    ok = ok && use_pasted(&t, pasted, why);
    p3_erase_text(pasted);
    end(&t);
    return ok;
}
