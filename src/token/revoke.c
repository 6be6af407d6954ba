/* Withdrawing a permission (RFC 7009). */
#include "token/authorize.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "support/erase_text.h"
#include "token/request.h"

static const char doing[] = "withdrawing the permission";

/* Revokes one token. A provider that does not know it has revoked it already (§2.2). */
static bool revoke_token(const p3_token_account *a, const p3_token_record *r, const char *token,
                         const char *hint, p3_problem *why)
{
    const char *secret = r->client.secret != NULL ? r->client.secret : a->client_secret;
    bool basic = r->client.basic && secret != NULL;
    p3_form form = {0};
    p3_http_answer answer = {0};
    p3_form_add(&form, "token", token);
    p3_form_add(&form, "token_type_hint", hint);
    if (!basic) {
        p3_form_add(&form, "client_id", r->client.id);
        p3_form_add(&form, "client_secret", secret);
    }
    char *body = p3_form_encode(&form);
    char *user = basic ? p3_form_encode_text(r->client.id) : NULL;
    char *password = basic ? p3_form_encode_text(secret) : NULL;
    const p3_http_request request = {
        .url = r->client.revocation, .body = body, .user = user, .password = password};
    bool ok = body != NULL && (!basic || (user != NULL && password != NULL));
    if (!ok)
        p3_problem_set(why, EX_OSERR, "%s: out of memory", doing);
    ok = ok && p3_http_send(&a->way, &request, doing, &answer, why) == P3_HTTP_ANSWERED;
    if (ok && answer.status != 200) {
        json_t *object = p3_members_read(answer.body, answer.len);
        const char *code = p3_member_text(object, "error");
        /* Google's answer for a token that is not valid any more; or the client had registered
         * itself and was removed with its tokens. */
        ok = code != NULL && (strcmp(code, "invalid_token") == 0 ||
                              (a->client_id == NULL && strcmp(code, "invalid_client") == 0));
        if (!ok && code != NULL)
            p3_token_explain(a, &(p3_token_sent){&form, secret}, doing, code,
                             p3_member_text(object, "error_description"), why);
        else if (!ok)
            p3_problem_set(why, EX_UNAVAILABLE,
                           "%s: the provider answers HTTP %ld; the tokens here are kept", doing,
                           answer.status);
        p3_members_free(object);
    }
    p3_http_answer_free(&answer);
    p3_erase_text(body);
    p3_erase_text(user);
    p3_erase_text(password);
    return ok;
}

bool p3_token_revoke(const p3_token_account *a, bool *withdrawn, p3_problem *why)
{
    p3_token_record r = {0};
    bool found = false;
    int lock = p3_token_lock(&a->store, why);
    *withdrawn = false;
    bool ok = lock >= 0 && p3_token_load(&a->store, &r, &found, why);
    if (ok && !found)
        ok = p3_problem_set(why, EX_NOINPUT, "%s: no tokens are kept", doing);
    if (ok && r.client.revocation != NULL && r.client.id != NULL) {
        /* Revoking the refresh token usually revokes the other one as well, which is also tried. */
        ok =
            r.tokens.refresh == NULL || revoke_token(a, &r, r.tokens.refresh, "refresh_token", why);
        if (ok && r.tokens.access != NULL)
            ok = revoke_token(a, &r, r.tokens.access, "access_token", why);
        *withdrawn = ok;
    }
    ok = ok && p3_token_remove(&a->store, why);
    p3_token_record_clear(&r);
    p3_token_unlock(lock);
    return ok;
}
