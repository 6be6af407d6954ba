/* The endpoints of a provider. */
#include "token/endpoints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "web/json_members.h"

/* ---- from the table ---- */

static bool from_table(const p3_token_account *a, p3_endpoints *out, p3_problem *why)
{
    const p3_provider *p = a->provider;
    const char *tenant = a->tenant != NULL ? a->tenant : "common";
    if (!p3_provider_tenant_ok(tenant))
        return p3_problem_set(why, EX_CONFIG, "tenant: \"%s\" is neither a domain nor an id",
                              tenant);
    out->issuer = p3_provider_url(p->issuer, tenant);
    out->authorization = p3_provider_url(p->authorization, tenant);
    out->token = p3_provider_url(p->token, tenant);
    out->device = p3_provider_url(p->device, tenant);
    out->revocation = p3_provider_url(p->revocation, tenant);
    out->basic = p->basic;
    return (out->authorization != NULL && out->token != NULL) || p3_problem_memory(why);
}

/* ---- from the provider's metadata ---- */

/* An endpoint; it must use https. */
static bool take_endpoint(const json_t *from, const char *name, char **out)
{
    const char *url = p3_member_text(from, name);
    bool good = url != NULL && strncmp(url, "https://", 8) == 0;
    return p3_token_replace(out, good ? url : NULL);
}

static bool take_metadata(const p3_token_account *a, const json_t *from, p3_endpoints *out,
                          p3_problem *why)
{
    const char *issuer = p3_member_text(from, "issuer");
    const char *methods = "token_endpoint_auth_methods_supported";
    if (issuer == NULL || strcmp(issuer, a->issuer) != 0) /* RFC 8414 §3.3 */
        return p3_problem_set(
            why, EX_PROTOCOL,
            "asking %s for its endpoints: its name is %.200s; set issuer to exactly that",
            a->issuer, issuer != NULL ? issuer : "nothing");
    bool ok = p3_token_replace(&out->issuer, issuer) &&
              take_endpoint(from, "authorization_endpoint", &out->authorization) &&
              take_endpoint(from, "token_endpoint", &out->token) &&
              take_endpoint(from, "device_authorization_endpoint", &out->device) &&
              take_endpoint(from, "revocation_endpoint", &out->revocation) &&
              take_endpoint(from, "registration_endpoint", &out->registration);
    if (!ok)
        return p3_problem_memory(why);
    /* Without the list, servers must support the header (RFC 8414 §2, RFC 6749 §2.3.1). */
    out->basic = json_object_get(from, methods) == NULL ||
                 (p3_member_lists(from, methods, "client_secret_basic") &&
                  !p3_member_lists(from, methods, "client_secret_post"));
    out->names_issuer =
        json_is_true(json_object_get(from, "authorization_response_iss_parameter_supported"));
    return out->token != NULL ||
           p3_problem_set(why, EX_PROTOCOL,
                          "asking %s for its endpoints: it names no token endpoint with https",
                          a->issuer);
}

/* Requests one address. `*there` is false when there is nothing. */
static bool ask_endpoint(const p3_token_account *a, const char *url, p3_endpoints *out, bool *there,
                         p3_problem *why)
{
    char doing[300];
    p3_http_request request = {.url = url};
    p3_http_answer answer;
    snprintf(doing, sizeof doing, "asking %.200s for its endpoints", a->issuer);
    *there = true;
    if (p3_http_send(&a->way, &request, doing, &answer, why) != P3_HTTP_ANSWERED)
        return false;
    json_t *metadata = answer.status == 200 ? p3_members_read(answer.body, answer.len) : NULL;
    *there = metadata != NULL;
    bool ok = metadata != NULL ? take_metadata(a, metadata, out, why)
                               : p3_problem_set(why, EX_UNAVAILABLE,
                                                "%s: it has no metadata (HTTP %ld); check issuer",
                                                doing, answer.status);
    p3_members_free(metadata);
    p3_http_answer_free(&answer);
    return ok;
}

static bool from_issuer(const p3_token_account *a, p3_endpoints *out, p3_problem *why)
{
    char *first = NULL;
    char *second = NULL;
    size_t len = strlen(a->issuer);
    if (strncmp(a->issuer, "https://", 8) != 0 || strpbrk(a->issuer, "?# ") != NULL)
        return p3_problem_set(why, EX_CONFIG, "issuer: %s is no address such as https://HOST/PATH",
                              a->issuer);
    size_t host = 8 + strcspn(a->issuer + 8, "/");
    size_t bare = len > 0 && a->issuer[len - 1] == '/' ? len - 1 : len;
    bool there = false;
    bool ok = false;
    /* RFC 8414 §3.1 puts it before the path, OpenID Connect Discovery §4 after it. */
    if (asprintf(&first, "%.*s/.well-known/oauth-authorization-server%.*s", (int)host, a->issuer,
                 (int)(bare > host ? bare - host : 0), a->issuer + host) < 0)
        first = NULL;
    if (asprintf(&second, "%.*s/.well-known/openid-configuration", (int)bare, a->issuer) < 0)
        second = NULL;
    if (first == NULL || second == NULL)
        p3_problem_memory(why);
    else
        ok = ask_endpoint(a, first, out, &there, why) ||
             (!there && ask_endpoint(a, second, out, &there, why));
    free(first);
    free(second);
    return ok;
}

bool p3_endpoints_find(const p3_token_account *a, p3_endpoints *out, p3_problem *why)
{
    *out = (p3_endpoints){0};
    if (a->provider != NULL)
        return from_table(a, out, why);
    return a->issuer != NULL ? from_issuer(a, out, why)
                             : p3_problem_set(why, EX_CONFIG,
                                              "no provider of tokens is given: set provider, or "
                                              "issuer");
}

void p3_endpoints_free(p3_endpoints *e)
{
    free(e->issuer);
    free(e->authorization);
    free(e->token);
    free(e->device);
    free(e->revocation);
    free(e->registration);
    *e = (p3_endpoints){0};
}
