/* The device grant (RFC 8628): the user enters a code in any browser, while we poll for the result.
 */
#include "token/authorize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "support/clock.h"
#include "support/pause.h"
#include "token/permission.h"

#define P3_INTERVAL      5    /* default seconds between requests (§3.2) */
#define P3_INTERVAL_MOST 60   /* the most that we accept */
#define P3_SLOWER        5    /* seconds more for each slow_down (§3.5) */
#define P3_EXPIRES_MOST  3600 /* the most seconds that a code is valid */

static const char doing[] = "asking for the permission";

/* The provider's answer. */
typedef struct p3_device {
    char *code; /* secret */
    char *user_code;
    char *url;
    int64_t interval; /* seconds */
    int64_t deadline; /* of p3_clock_ms() */
} p3_device;

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool take_device(const json_t *from, p3_device *out, p3_problem *why)
{
    const char *code = p3_member_text(from, "device_code");
    const char *user_code = p3_member_text(from, "user_code");
    const char *url = p3_member_text(from, "verification_uri");
    const char *old = p3_member_text(from, "verification_url"); /* before the RFC: Google's */
    int64_t expires = p3_member_number(from, "expires_in", INT32_MAX);
    int64_t interval = p3_member_number(from, "interval", INT32_MAX);
    url = url != NULL ? url : old;
    if (code == NULL || user_code == NULL || url == NULL || strlen(user_code) > 64 ||
        strncmp(url, "https://", 8) != 0 || strlen(url) > 1000)
        return p3_problem_set(why, EX_PROTOCOL, "%s: the provider's answer contains no code",
                              doing);
    out->interval = interval > 0 ? lesser(interval, P3_INTERVAL_MOST) : P3_INTERVAL;
    expires = expires > 0 ? lesser(expires, P3_EXPIRES_MOST) : P3_EXPIRES_MOST;
    out->deadline = p3_clock_ms() + expires * 1000;
    return (p3_token_replace(&out->code, code) && p3_token_replace(&out->user_code, user_code) &&
            p3_token_replace(&out->url, url)) ||
           p3_problem_set(why, EX_OSERR, "%s: out of memory", doing);
}

static bool obtain_code(const p3_permission *p, p3_device *out, p3_problem *why)
{
    p3_form form = {0};
    p3_token_reply reply;
    const p3_token_client client = {.endpoint = p->at.device,
                                    .id = p->client_id,
                                    .secret = p->client_secret != NULL ? p->client_secret
                                                                       : p->account->client_secret,
                                    .basic = p->at.basic};
    p3_form_add(&form, "scope", p3_permission_scope(p));
    bool ok =
        p3_token_request(p->account, &client, &form, doing, &reply, why) == P3_TOKEN_GRANTED &&
        take_device(reply.granted, out, why);
    p3_members_free(reply.granted);
    return ok;
}

static bool pause_for(const p3_device *d, p3_problem *why)
{
    p3_pause(d->interval * 1000);
    return p3_clock_ms() < d->deadline ||
           p3_problem_set(why, EX_NOPERM, "%s: the code was not entered in time; try again", doing);
}

/* Asks until there is an answer. */
static bool poll_for_tokens(const p3_permission *p, p3_device *d, p3_problem *why)
{
    while (pause_for(d, why)) {
        p3_form form = {0};
        p3_token_reply reply;
        int64_t now = (int64_t)time(NULL);
        p3_form_add(&form, "grant_type", "urn:ietf:params:oauth:grant-type:device_code");
        p3_form_add(&form, "device_code", d->code);
        p3_token_outcome outcome = p3_permission_ask(p, &form, doing, &reply, why);
        if (outcome == P3_TOKEN_GRANTED) {
            bool ok = p3_permission_keep(p, reply.granted, now, doing, why);
            p3_members_free(reply.granted);
            return ok;
        }
        if (strcmp(reply.code, "slow_down") == 0 || outcome == P3_TOKEN_LATER ||
            outcome == P3_TOKEN_LOST)
            d->interval += P3_SLOWER; /* also after timeouts */
        else if (strcmp(reply.code, "authorization_pending") != 0)
            return false;
        if (d->interval > P3_INTERVAL_MOST)
            d->interval = P3_INTERVAL_MOST;
    }
    return false;
}

bool p3_token_authorize_device(const p3_token_account *a, const p3_token_dialogue *d,
                               p3_problem *why)
{
    p3_permission p;
    p3_device device = {0};
    bool ok = p3_permission_begin(&p, a, why);
    if (ok && p.at.device == NULL)
        ok = p3_problem_set(why, EX_UNAVAILABLE, "%s: %s; run: pop3 authorize %s --paste", doing,
                            a->provider != NULL && a->provider->no_device != NULL
                                ? a->provider->no_device
                                : "the provider has no device grant",
                            a->word);
    ok = ok && obtain_code(&p, &device, why);
    if (ok)
        d->show(d->ctx, device.url, device.user_code);
    ok = ok && poll_for_tokens(&p, &device, why);
    (void)p3_token_replace(&device.code, NULL);
    free(device.user_code);
    free(device.url);
    p3_permission_end(&p);
    return ok;
}
