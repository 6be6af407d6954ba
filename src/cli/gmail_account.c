/* What an account's settings say about delivery to Gmail. */
#include "cli/gmail_account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/oauth.h"
#include "cli/secret.h"

/* In the table of providers. */
static char provider[] = "google";

static const char google[] = "https://gmail.googleapis.com";

/* A find_token of the options. */
static bool find_token(void *ctx, char **token, p3_problem *why)
{
    p3_secret secret = {
        .text = *token, .len = *token != NULL ? strlen(*token) : 0, .is_token = true};
    bool ok = p3_secret_find(ctx, &secret, why);
    *token = secret.text;
    return ok;
}

/* Where its tokens come from. Nothing else of the account's tells them: its own are the server's.
 */
static p3_settings token_settings(const p3_settings *s)
{
    static const p3_loan loans[] = {
        {P3_SETTING_TOKEN_COMMAND, P3_SETTING_GMAIL_TOKEN_COMMAND},
        {P3_SETTING_CLIENT_ID, P3_SETTING_GMAIL_CLIENT_ID},
        {P3_SETTING_CLIENT_SECRET_FILE, P3_SETTING_GMAIL_CLIENT_SECRET_FILE},
        {P3_SETTING_ISSUER, P3_SETTING_GMAIL_ISSUER},
        {P3_SETTING_ISSUER_CA_FILE, P3_SETTING_ISSUER_CA_FILE},
        {P3_SETTING_TOKEN_KEY_FILE, P3_SETTING_TOKEN_KEY_FILE},
        {P3_SETTING_TOKEN_STORE, P3_SETTING_TOKEN_STORE},
        {P3_SETTING_PROXY, P3_SETTING_PROXY},
        {P3_SETTING_PROXY_USER, P3_SETTING_PROXY_USER},
        {P3_SETTING_PROXY_PASSWORD, P3_SETTING_PROXY_PASSWORD}};
    p3_settings t = {.name = s->name,
                     .scope = (char *)(uintptr_t)p3_provider_find(provider)->api_scope};
    t.is_set[P3_SETTING_SCOPE] = true;
    p3_settings_lend(&t, s, loans, sizeof loans / sizeof *loans);
    if (s->gmail_issuer == NULL && s->gmail_token_command == NULL) {
        t.provider = provider;
        t.is_set[P3_SETTING_PROVIDER] = true;
    }
    return t;
}

static bool make_texts(p3_gmail_account *g, const p3_settings *s, const p3_address *server,
                       const char *word)
{
    bool ok = asprintf(&g->key, "%s@%s:%u", s->target.where, server->host, server->port) >= 0;
    ok = ok && asprintf(&g->word, "--target %s", word) >= 0;
    if (ok && s->gmail_token_command != NULL)
        return (g->renewal = strdup("gmail-token-command has to print another token")) != NULL;
    return ok && asprintf(&g->renewal, "run: pop3 authorize %s", g->word) >= 0;
}

/* Whom to connect to. */
static void find_dialed(const p3_settings *s, const p3_address *server, p3_address out[2])
{
    char *proxy = s->proxy.kind == POP3_PROXY_NONE ? p3_http_environment_proxy() : NULL;
    out[0] = *server;
    if (s->proxy.kind != POP3_PROXY_NONE) {
        out[0] = (p3_address){.port = s->proxy.port};
        snprintf(out[0].host, sizeof out[0].host, "%s", s->proxy.host);
    } else if (proxy != NULL && (!p3_address_read(&out[1], proxy) || out[1].path != NULL)) {
        out[1] = (p3_address){0}; /* libcurl tells what is wrong with it */
    }
    free(proxy);
}

/* Makes what the tokens are found by. */
static bool make_secret(p3_gmail_account *g, const p3_settings *s, const p3_address *server,
                        const char *word)
{
    p3_settings tokens = token_settings(s);
    g->settings = p3_settings_pack(&tokens);
    if (g->settings == NULL || !make_texts(g, s, server, word) || !p3_oauth_proxy(s, &g->proxy))
        return false;
    g->holder = (p3_account){.name = s->target.where,
                             .key = g->key,
                             .connection = {.host = "gmail"},
                             .user = s->target.where,
                             .tokens = {.word = g->word}};
    g->secret =
        (p3_secret_source){.account = &g->holder, .settings = g->settings, .prefix = "gmail-"};
    return true;
}

p3_gmail_account *p3_gmail_account_new(const p3_settings *s, const char *word, p3_problem *why)
{
    const char *url = s->gmail_url != NULL ? s->gmail_url : google;
    p3_address server;
    if (!p3_gmail_url_read(&server, url)) {
        p3_problem_set(why, EX_CONFIG,
                       "\"%s\" cannot be used as gmail-url; expected: https://HOST[:PORT]", url);
        return NULL;
    }
    if (s->gmail_client_id == NULL && s->gmail_token_command == NULL) {
        p3_problem_set(why, EX_CONFIG,
                       "gmail needs a client: set gmail-client-id, and "
                       "gmail-client-secret-file");
        return NULL;
    }
    p3_gmail_account *g = calloc(1, sizeof *g);
    if (g == NULL || !make_secret(g, s, &server, word)) {
        p3_gmail_account_free(g);
        p3_problem_set(why, EX_OSERR, "out of memory");
        return NULL;
    }
    g->options = (p3_gmail_options){.url = url,
                                    .labels = s->labels,
                                    .unread = s->unread,
                                    .never_spam = s->never_spam,
                                    .calendar = s->process_calendar,
                                    .date = s->internal_date == P3_IMAP_NOW ? P3_GMAIL_DATE_NOW
                                                                            : P3_GMAIL_DATE_HEADER,
                                    .way = {.ca_file = s->issuer_ca_file,
                                            .proxy = g->proxy,
                                            .proxy_user = s->proxy_user,
                                            .proxy_password = s->proxy_password},
                                    .find_token = find_token,
                                    .token_ctx = &g->secret,
                                    .renewal = g->renewal};
    find_dialed(s, &server, g->options.dialed);
    return g;
}

void p3_gmail_account_free(p3_gmail_account *g)
{
    if (g == NULL)
        return;
    p3_packed_settings_drop(g->settings);
    free(g->key);
    free(g->word);
    free(g->renewal);
    free(g->proxy);
    free(g);
}
