/* `pop3 doctor`: checks an account's OAuth 2.0 tokens. */
#include "cli/doctor_tokens.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "cli/doctor_finding.h"
#include "cli/oauth.h"
#include "collect/failure_text.h"
#include "support/erase_text.h"
#include "token/token.h"

/* ---- what is kept ---- */

static void tell_end(int64_t expires)
{
    char when[40];
    struct tm tm;
    time_t t = (time_t)expires;
    if (expires == 0)
        p3_finding("", "", "the provider did not say how long it lasts");
    else if (gmtime_r(&t, &tm) != NULL &&
             strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S UTC", &tm) > 0)
        p3_finding("", "", "it lasts until %s", when);
}

static void tell_place(const p3_token_account *t, const char *what)
{
    if (p3_token_is_in_keyring(&t->store))
        p3_finding("ok", what, "kept in the desktop's keyring");
    else
        p3_finding("ok", what, "kept%s in %s", t->store.key.data != NULL ? ", encrypted," : "",
                   t->store.path);
}

/* Prints what is stored, before the provider is asked. `*print` is the token's. */
static bool tell_kept(const p3_token_account *t, const char *what, p3_token_print *print,
                      p3_problem *why)
{
    p3_token_record r;
    bool found;
    if (!p3_token_load(&t->store, &r, &found, why))
        return false;
    bool ok = true;
    if (found && r.tokens.access != NULL) {
        *print = p3_token_print_of(r.tokens.access);
        tell_place(t, what);
    } else if (t->grant == P3_GRANT_USER) {
        ok = p3_problem_set(why, EX_NOPERM, "there is no token yet; run: pop3 authorize %s",
                            t->word);
    }
    if (found && t->grant == P3_GRANT_USER && r.tokens.refresh == NULL)
        p3_finding("note", what,
                   "it has no refresh token: when it expires, a new sign-in is needed");
    p3_token_record_clear(&r);
    return ok;
}

/* Checks that there is a valid token. The provider is asked only if necessary, because a refresh
 * token may be valid for one use. */
static bool tell_good(const p3_token_account *t, const char *what, const p3_token_print *before,
                      p3_problem *why)
{
    p3_token_record r;
    bool found;
    char *token;
    if (!p3_token_get(t, (p3_token_print){0}, &token, why))
        return false;
    p3_token_print print = p3_token_print_of(token);
    p3_erase_text(token);
    if (!p3_token_load(&t->store, &r, &found, why))
        return false;
    if (memcmp(print.octets, before->octets, sizeof print.octets) != 0)
        p3_finding("ok", what, "%s",
                   t->grant == P3_GRANT_USER ? "the provider refreshes it"
                                             : "the provider gives one");
    else if (r.trouble.refusal != NULL)
        p3_finding("note", what, "it is used until it expires: %s", r.trouble.refusal);
    else if (r.trouble.failures > 0)
        p3_finding("note", what, "it is used until it expires: the last %lld refreshes failed",
                   (long long)r.trouble.failures);
    else
        p3_finding("ok", what,
                   "it is still valid; to refresh it now, run: pop3 authorize %s --check", t->word);
    tell_end(r.tokens.expires);
    p3_token_record_clear(&r);
    return true;
}

static bool tell_tokens(const p3_secret_source *source, const char *what, p3_problem *why)
{
    p3_oauth oauth = {0};
    p3_token_print print = {0};
    bool ok = p3_oauth_read(source, &oauth, why) && tell_kept(&oauth.account, what, &print, why) &&
              tell_good(&oauth.account, what, &print, why);
    p3_oauth_free(&oauth);
    if (!ok)
        p3_oauth_name_settings(source, why);
    return ok;
}

bool p3_doctor_tokens_of(const p3_secret_source *source, const char *what, p3_problem *why)
{
    return !p3_oauth_is_used(source) || tell_tokens(source, what, why);
}

int p3_doctor_tokens(const p3_local_account *a)
{
    p3_problem why = {0};
    if (p3_doctor_tokens_of(&a->secret, "token", &why))
        return EX_OK;
    p3_finding("BAD", "token", "%s", why.text);
    return why.exit;
}

/* ---- what the server announces ---- */

bool p3_doctor_mechanisms(const p3_local_account *a, const pop3_client *client)
{
    const pop3_capabilities *c = pop3_client_capabilities(client);
    const p3_token_hint *hint = &a->account.tokens;
    bool xoauth2 = c != NULL && pop3_capabilities_have_sasl(c, "XOAUTH2");
    bool bearer = c != NULL && pop3_capabilities_have_sasl(c, "OAUTHBEARER");
    bool only = p3_takes_only_tokens(client);
    p3_settings set;
    p3_packed_settings_view(a->settings, &set);
    bool has_token = p3_oauth_is_set(&set) || set.token_command != NULL;
    if (xoauth2 || bearer)
        p3_finding("ok", "OAuth", "the server accepts tokens, by %s%s%s%s",
                   xoauth2 ? "XOAUTH2" : "", xoauth2 && bearer ? " and " : "",
                   bearer ? "OAUTHBEARER" : "", only ? ", and nothing else" : "");
    else if (has_token && c != NULL)
        p3_finding("note", "OAuth", "the server announces neither XOAUTH2 nor OAUTHBEARER");
    if (has_token)
        return true;
    if (hint->server_takes != NULL)
        p3_finding("note", "OAuth", "%s", hint->server_takes);
    if (only || hint->server_takes != NULL)
        p3_finding("do", "OAuth", "%s%s%s%s", only ? "" : "for tokens: ", hint->advice, hint->word,
                   hint->more);
    return !only;
}
