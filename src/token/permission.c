/* Shared by the grants: the client, and storing what was granted. */
#include "token/permission.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "system/erase.h"

static const char *const registering = "registering as a client";

/* ---- registering ---- */

/* The request (RFC 7591 §2): a native application without a secret. */
static char *write_metadata(const p3_permission *p)
{
    const char *scope = p3_permission_scope(p);
    /* A provider may refuse a client that names an unknown grant. */
    const char *device =
        p->at.device != NULL ? "urn:ietf:params:oauth:grant-type:device_code" : NULL;
    json_t *metadata =
        json_pack("{s:s, s:s, s:s, s:[s, s, s*], s:s, s:[s], s:s*}", "client_name", "pop3",
                  "software_id", "libpop3", "application_type", "native", "grant_types",
                  "authorization_code", "refresh_token", device, "token_endpoint_auth_method",
                  "none", "redirect_uris", "http://127.0.0.1", /* with any port: RFC 8252 §7.3 */
                  "scope", scope);
    char *text = metadata != NULL ? json_dumps(metadata, JSON_COMPACT) : NULL;
    json_decref(metadata);
    return text;
}

static bool take_client(p3_permission *p, const p3_http_answer *answer, p3_problem *why)
{
    json_t *client = p3_members_read(answer->body, answer->len);
    const char *id = p3_member_text(client, "client_id");
    const char *code = p3_member_text(client, "error");
    bool ok = false;
    if (answer->status / 100 == 2 && id != NULL)
        ok = (p3_token_replace(&p->client_id, id) &&
              p3_token_replace(&p->client_secret, p3_member_text(client, "client_secret"))) ||
             p3_problem_memory(why);
    else if (code != NULL)
        p3_token_explain(p->account, NULL, registering, code,
                         p3_member_text(client, "error_description"), why);
    else
        p3_problem_set(why, EX_UNAVAILABLE,
                       "%s: the provider answers HTTP %ld; register a client by hand, and set "
                       "client-id",
                       registering, answer->status);
    p3_members_free(client);
    return ok;
}

static bool register_client(p3_permission *p, p3_problem *why)
{
    p3_http_request request = {.url = p->at.registration, .type = "application/json"};
    p3_http_answer answer = {0};
    char *metadata = write_metadata(p);
    if (metadata == NULL)
        return p3_problem_memory(why);
    request.body = metadata;
    bool ok =
        p3_http_send(&p->account->way, &request, registering, &answer, why) == P3_HTTP_ANSWERED &&
        take_client(p, &answer, why);
    p3_http_answer_free(&answer);
    free(metadata);
    return ok;
}

/* An earlier registration is reused, so that the provider's list does not grow. */
static bool reuse_client(p3_permission *p)
{
    p3_token_record r;
    p3_problem ignored;
    bool found = false;
    bool ok = p3_token_load(&p->account->store, &r, &found, &ignored) && found &&
              r.client.id != NULL && r.client.endpoint != NULL && p->at.token != NULL &&
              strcmp(r.client.endpoint, p->at.token) == 0 &&
              p3_token_replace(&p->client_id, r.client.id) &&
              p3_token_replace(&p->client_secret, r.client.secret);
    p3_token_record_clear(&r);
    return ok;
}

bool p3_permission_begin(p3_permission *p, const p3_token_account *a, p3_problem *why)
{
    *p = (p3_permission){.account = a};
    if (!p3_endpoints_find(a, &p->at, why))
        return false;
    if (a->client_id != NULL)
        return p3_token_replace(&p->client_id, a->client_id) || p3_problem_memory(why);
    if (p->at.registration == NULL)
        return p3_problem_set(why, EX_CONFIG,
                              "no client is given, and the provider does not register clients "
                              "automatically: register one there, and set client-id");
    return reuse_client(p) || register_client(p, why);
}

void p3_permission_end(p3_permission *p)
{
    p3_endpoints_free(&p->at);
    (void)p3_token_replace(&p->client_id, NULL);
    (void)p3_token_replace(&p->client_secret, NULL);
}

/* ---- asking ---- */

const char *p3_permission_scope(const p3_permission *p)
{
    const p3_token_account *a = p->account;
    return a->scope != NULL ? a->scope : a->provider != NULL ? a->provider->scope : NULL;
}

p3_token_outcome p3_permission_ask(const p3_permission *p, p3_form *form, const char *doing,
                                   p3_token_reply *reply, p3_problem *why)
{
    const p3_token_client client = {.endpoint = p->at.token,
                                    .id = p->client_id,
                                    .secret = p->client_secret != NULL ? p->client_secret
                                                                       : p->account->client_secret,
                                    .basic = p->at.basic};
    return p3_token_request(p->account, &client, form, doing, reply, why);
}

/* ---- keeping ---- */

bool p3_permission_keep(const p3_permission *p, const json_t *granted, int64_t asked,
                        const char *doing, p3_problem *why)
{
    p3_token_record r = {0};
    bool ok = (p3_token_replace(&r.client.id, p->client_id) &&
               p3_token_replace(&r.client.secret, p->client_secret) &&
               p3_token_replace(&r.client.endpoint, p->at.token) &&
               p3_token_replace(&r.client.revocation, p->at.revocation)) ||
              p3_problem_memory(why);
    r.client.basic = p->at.basic;
    ok = ok && p3_token_record_answer(granted, asked, doing, &r, why);
    if (ok && r.tokens.refresh == NULL && r.tokens.expires != 0)
        ok = p3_problem_set(
            why, EX_PROTOCOL,
            "%s: the provider gave no refresh token, so that the permission would expire within "
            "hours; add the scope that requests one (usually offline_access)",
            doing);
    int lock = ok ? p3_token_lock(&p->account->store, why) : -1;
    ok = lock >= 0 && p3_token_save_new(&p->account->store, &r, why);
    p3_token_unlock(lock);
    p3_token_record_clear(&r);
    return ok;
}
