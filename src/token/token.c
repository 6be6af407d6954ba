/* Returns a valid token: the stored one, or a new one.
 *
 * A refresh token may be valid for one use only. Therefore one process at a time refreshes, by a
 * lock; the result is on the disk before it is used; and before the request is sent, a note about
 * it is written, which shows that the disk accepts records. If the answer is lost, the old refresh
 * token is tried once more at once, which providers that rotate tokens allow. */
#include "token/token.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "support/crash_point.h"
#include "support/printable.h"
#include "token/endpoints.h"
#include "token/request.h"

#define P3_MARGIN       300  /* seconds before its end: the time of a session */
#define P3_SKEW         300  /* seconds by which the clock may be set back */
#define P3_BACKOFF      30   /* seconds; doubled with each failure, */
#define P3_BACKOFF_MOST 3600 /* up to this */
#define P3_DEAD         3600 /* seconds until a refused refresh token is tried again */

static const char doing[] = "refreshing the token";

p3_token_print p3_token_print_of(const char *token)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    p3_token_print print;
    SHA256((const unsigned char *)token, strlen(token), hash);
    memcpy(print.octets, hash, sizeof print.octets);
    return print;
}

/* ---- what is kept ---- */

static bool is_refused(const p3_token_record *r, const p3_token_print *refused)
{
    p3_token_print print = p3_token_print_of(r->tokens.access);
    return memcmp(print.octets, refused->octets, sizeof print.octets) == 0;
}

/* Whether it can be used. After the clock was set back, its end is unknown. */
static bool is_good(const p3_token_record *r, const p3_token_print *refused, int64_t now,
                    int64_t margin)
{
    if (r->tokens.access == NULL || is_refused(r, refused) || now < r->tokens.obtained - P3_SKEW)
        return false;
    return r->tokens.expires == 0 || now + margin < r->tokens.expires;
}

/* How long before its end it is refreshed: short-lived tokens are used for most of their time. */
static int64_t margin_of(const p3_token_record *r)
{
    int64_t tenth = (r->tokens.expires - r->tokens.obtained) / 10;
    return tenth < P3_MARGIN ? tenth : P3_MARGIN;
}

static bool is_fresh(const p3_token_record *r, const p3_token_print *refused, int64_t now)
{
    return is_good(r, refused, now, margin_of(r));
}

/* ---- what was there before ---- */

static void when_text(int64_t when, char *out, size_t size)
{
    time_t t = (time_t)when;
    struct tm tm;
    if (gmtime_r(&t, &tm) == NULL || strftime(out, size, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
        out[0] = '\0';
}

/* Whether the provider may be asked. */
static bool may_ask(const p3_token_account *a, const p3_token_record *r, int64_t now,
                    p3_problem *why)
{
    char when[40];
    if (r->trouble.until <= now || r->trouble.until > now + P3_BACKOFF_MOST * 24)
        return true;
    if (r->trouble.refusal != NULL)
        return p3_problem_set(why, EX_NOPERM, "%s", r->trouble.refusal);
    when_text(r->trouble.until, when, sizeof when);
    return p3_problem_set(why, EX_TEMPFAIL,
                          "%s: the last %lld attempts failed, and the next one is due at %s; to "
                          "try now, run: pop3 authorize %s --check",
                          doing, (long long)r->trouble.failures, when, a->word);
}

/* Whether the stored tokens can be refreshed. */
static bool check_record(const p3_token_account *a, const p3_token_record *r, bool found,
                         p3_problem *why)
{
    if (a->grant == P3_GRANT_CLIENT)
        return true;
    if (!found)
        return p3_problem_set(why, EX_NOPERM,
                              "finding the token: there is none yet; run: pop3 authorize %s",
                              a->word);
    if (r->tokens.refresh == NULL)
        return p3_problem_set(why, EX_NOPERM,
                              "%s: the provider gave no refresh token, and the token has expired; "
                              "check scope, then run: pop3 authorize %s",
                              doing, a->word);
    if (r->client.id == NULL || r->client.endpoint == NULL ||
        (a->client_id != NULL && strcmp(a->client_id, r->client.id) != 0))
        return p3_problem_set(why, EX_NOPERM,
                              "%s: it was given to another client-id; run: pop3 authorize %s",
                              doing, a->word);
    return true;
}

/* ---- asking ---- */

/* The request for client credentials (RFC 6749 §4.4), or for a refresh (§6). */
static void fill(const p3_token_account *a, const p3_token_record *r, p3_form *form)
{
    *form = (p3_form){0};
    if (a->grant == P3_GRANT_CLIENT) {
        const char *usual = a->provider != NULL ? a->provider->app_scope : NULL;
        p3_form_add(form, "grant_type", "client_credentials");
        p3_form_add(form, "scope", a->scope != NULL ? a->scope : usual);
    } else {
        p3_form_add(form, "grant_type", "refresh_token");
        p3_form_add(form, "refresh_token", r->tokens.refresh);
    }
}

/* A client with its own permission may have no record yet. */
static bool find_client(const p3_token_account *a, p3_token_record *r, p3_problem *why)
{
    p3_endpoints e;
    if (a->grant != P3_GRANT_CLIENT)
        return true;
    if (a->client_id == NULL || a->client_secret == NULL)
        return p3_problem_set(why, EX_CONFIG,
                              "obtaining a token: client credentials need client-id and "
                              "client-secret-file");
    bool ok = p3_endpoints_find(a, &e, why);
    if (ok && !(p3_token_replace(&r->client.id, a->client_id) &&
                p3_token_replace(&r->client.endpoint, e.token)))
        ok = p3_problem_set(why, EX_OSERR, "obtaining a token: out of memory");
    r->client.basic = e.basic;
    p3_endpoints_free(&e);
    return ok;
}

static p3_token_outcome send_request(const p3_token_account *a, const p3_token_record *r,
                                     p3_token_reply *reply, p3_problem *why)
{
    const p3_token_client client = {.endpoint = r->client.endpoint,
                                    .id = r->client.id,
                                    .secret = r->client.secret != NULL ? r->client.secret
                                                                       : a->client_secret,
                                    .basic = r->client.basic};
    p3_form form;
    fill(a, r, &form);
    p3_token_outcome outcome = p3_token_request(a, &client, &form, doing, reply, why);
    if (outcome != P3_TOKEN_LOST)
        return outcome;
    fill(a, r, &form);
    return p3_token_request(a, &client, &form, doing, reply, why);
}

/* The permission has ended: the provider is not asked again soon, and the same problem is reported.
 */
static void note_refusal(p3_token_record *r, int64_t now, int64_t lost, p3_problem *why)
{
    char when[40];
    if (lost != 0) {
        p3_problem first = *why;
        when_text(lost, when, sizeof when);
        p3_problem_set(why, first.exit,
                       "%.600s (the answer to a refresh at %s was lost, which may be the cause)",
                       first.text, when);
    }
    /* The provider's text may be cut within a character, which is invalid in JSON. */
    char *clean = p3_utf8_clean(why->text, strlen(why->text));
    (void)p3_token_replace(&r->trouble.refusal, clean);
    free(clean);
    r->trouble.until = now + P3_DEAD;
}

static void note_failure(p3_token_record *r, int64_t now, int64_t retry_after)
{
    int64_t wait = P3_BACKOFF;
    for (int64_t i = 0; i < r->trouble.failures && wait < P3_BACKOFF_MOST; i++)
        wait *= 2;
    if (wait > P3_BACKOFF_MOST)
        wait = P3_BACKOFF_MOST;
    r->trouble.failures++;
    r->trouble.until = now + (retry_after > wait ? retry_after : wait);
}

/* Asks the provider and stores the result. The lock is held. */
static bool renew(const p3_token_account *a, p3_token_record *r, int64_t now, p3_problem *why)
{
    p3_token_reply reply;
    p3_problem lesser;
    int64_t lost = r->trouble.asked;
    if (!find_client(a, r, why))
        return false;
    if (a->grant == P3_GRANT_USER)
        r->trouble.asked = now;
    if (!p3_token_save(&a->store, r, why))
        return false;
    p3_token_outcome outcome = send_request(a, r, &reply, why);
    p3_crash_point("token granted");
    bool ok =
        outcome == P3_TOKEN_GRANTED && p3_token_record_answer(reply.granted, now, doing, r, why);
    p3_members_free(reply.granted);
    if (ok) {
        (void)p3_token_replace(&r->trouble.refusal, NULL);
        r->trouble.failures = r->trouble.until = r->trouble.asked = 0;
        return p3_token_save(&a->store, r, why);
    }
    /* An unusable answer counts as lost: it may have rotated the refresh token. */
    if (outcome == P3_TOKEN_LATER || outcome == P3_TOKEN_REFUSED)
        r->trouble.asked = outcome == P3_TOKEN_LATER ? lost : 0;
    if (outcome == P3_TOKEN_REFUSED && why->exit == EX_NOPERM && reply.code[0] != '\0')
        note_refusal(r, now, lost, why);
    else
        note_failure(r, now, reply.retry_after);
    (void)p3_token_save(&a->store, r, &lesser); /* the more important problem is reported */
    return false;
}

/* ---- giving ---- */

static bool copy_token(const p3_token_record *r, char **token, p3_problem *why)
{
    *token = strdup(r->tokens.access);
    return *token != NULL || p3_problem_set(why, EX_OSERR, "finding the token: out of memory");
}

/* With the lock, because another process may have refreshed it meanwhile. */
static bool get_locked(const p3_token_account *a, const p3_token_print *refused, char **token,
                       p3_problem *why)
{
    p3_token_record r;
    bool found;
    int64_t now = (int64_t)time(NULL);
    if (!p3_token_load(&a->store, &r, &found, why))
        return false;
    bool ok = is_fresh(&r, refused, now) || (check_record(a, &r, found, why) &&
                                             may_ask(a, &r, now, why) && renew(a, &r, now, why));
    /* A token that has not expired is better than a provider that cannot answer. */
    ok = ok || is_good(&r, refused, now, 0);
    ok = ok && copy_token(&r, token, why);
    p3_token_record_clear(&r);
    return ok;
}

bool p3_token_get(const p3_token_account *a, p3_token_print refused, char **token, p3_problem *why)
{
    p3_token_record r;
    bool found;
    *token = NULL;
    if (!p3_token_load(&a->store, &r, &found, why))
        return false;
    int64_t now = (int64_t)time(NULL);
    bool fresh = is_fresh(&r, &refused, now);
    bool ok = fresh ? copy_token(&r, token, why)
                    : is_good(&r, &refused, now, 0) || check_record(a, &r, found, why);
    p3_token_record_clear(&r);
    if (!ok || fresh)
        return ok;
    int lock = p3_token_lock(&a->store, why);
    ok = lock >= 0 && get_locked(a, &refused, token, why);
    p3_token_unlock(lock);
    return ok;
}

bool p3_token_renew(const p3_token_account *a, p3_problem *why)
{
    p3_token_record r = {0};
    bool found = false;
    int lock = p3_token_lock(&a->store, why);
    bool ok = lock >= 0 && p3_token_load(&a->store, &r, &found, why) &&
              check_record(a, &r, found, why) && renew(a, &r, (int64_t)time(NULL), why);
    p3_token_record_clear(&r);
    p3_token_unlock(lock);
    return ok;
}
