/* The secret for the server of an account's target. */
#include "cli/target_secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/oauth.h"
#include "token/providers.h"

/* The settings of a target that replace those of the account's POP3 server. The account's own
 * secrets are never used for a target. */
typedef struct p3_secret_row {
    p3_target_kind kind;
    const char *prefix;   /* of the settings' names */
    const char *provider; /* the default; or NULL */
    size_t scope;         /* the provider's scope for this target */
    p3_loan loans[10];    /* unused ones have the first setting */
} p3_secret_row;

static const p3_secret_row rows[] = {
    {.kind = P3_TARGET_GMAIL,
     .prefix = "gmail-",
     .provider = "google",
     .scope = offsetof(p3_provider, api_scope),
     .loans = {{P3_SETTING_TOKEN_COMMAND, P3_SETTING_GMAIL_TOKEN_COMMAND},
               {P3_SETTING_CLIENT_ID, P3_SETTING_GMAIL_CLIENT_ID},
               {P3_SETTING_CLIENT_SECRET_FILE, P3_SETTING_GMAIL_CLIENT_SECRET_FILE},
               {P3_SETTING_ISSUER, P3_SETTING_GMAIL_ISSUER}}},
    {.kind = P3_TARGET_IMAP,
     .prefix = "imap-",
     .scope = offsetof(p3_provider, imap_scope),
     .loans = {{P3_SETTING_TOKEN_COMMAND, P3_SETTING_IMAP_TOKEN_COMMAND},
               {P3_SETTING_CLIENT_ID, P3_SETTING_IMAP_CLIENT_ID},
               {P3_SETTING_CLIENT_SECRET_FILE, P3_SETTING_IMAP_CLIENT_SECRET_FILE},
               {P3_SETTING_ISSUER, P3_SETTING_IMAP_ISSUER},
               {P3_SETTING_PROVIDER, P3_SETTING_IMAP_PROVIDER},
               {P3_SETTING_TENANT, P3_SETTING_IMAP_TENANT},
               {P3_SETTING_SCOPE, P3_SETTING_IMAP_SCOPE},
               {P3_SETTING_PASSWORD_FILE, P3_SETTING_IMAP_PASSWORD_FILE},
               {P3_SETTING_PASSWORD_COMMAND, P3_SETTING_IMAP_PASSWORD_COMMAND},
               {P3_SETTING_NETRC, P3_SETTING_NETRC}}},
    {.kind = P3_TARGET_SMTP,
     .prefix = "smtp-",
     .scope = offsetof(p3_provider, smtp_scope),
     .loans = {{P3_SETTING_TOKEN_COMMAND, P3_SETTING_SMTP_TOKEN_COMMAND},
               {P3_SETTING_CLIENT_ID, P3_SETTING_SMTP_CLIENT_ID},
               {P3_SETTING_CLIENT_SECRET_FILE, P3_SETTING_SMTP_CLIENT_SECRET_FILE},
               {P3_SETTING_ISSUER, P3_SETTING_SMTP_ISSUER},
               {P3_SETTING_PROVIDER, P3_SETTING_SMTP_PROVIDER},
               {P3_SETTING_TENANT, P3_SETTING_SMTP_TENANT},
               {P3_SETTING_SCOPE, P3_SETTING_SMTP_SCOPE},
               {P3_SETTING_PASSWORD_FILE, P3_SETTING_SMTP_PASSWORD_FILE},
               {P3_SETTING_PASSWORD_COMMAND, P3_SETTING_SMTP_PASSWORD_COMMAND},
               {P3_SETTING_NETRC, P3_SETTING_NETRC}}},
};

static const p3_secret_row *row_of(p3_target_kind kind)
{
    size_t i = 0;
    while (rows[i].kind != kind)
        i++;
    return &rows[i];
}

/* Sets the row's provider, if no setting has another source of tokens, and its scope. */
static void fill_in(p3_settings *t, const p3_secret_row *row)
{
    if (row->provider != NULL && t->issuer == NULL && t->token_command == NULL) {
        t->provider = (char *)(uintptr_t)row->provider;
        t->is_set[P3_SETTING_PROVIDER] = true;
    }
    const char *name = t->provider != NULL ? t->provider : row->provider;
    const p3_provider *provider = name != NULL ? p3_provider_find(name) : NULL;
    if (provider == NULL || t->scope != NULL)
        return;
    memcpy(&t->scope, (const char *)provider + row->scope, sizeof t->scope);
    t->is_set[P3_SETTING_SCOPE] = t->scope != NULL;
}

p3_settings p3_target_secret_settings(const p3_target_secret *secret, const p3_settings *s)
{
    const p3_secret_row *row = row_of(secret->source.kind);
    /* The same for every server. The proxy is for the provider. */
    static const p3_loan shared[] = {{P3_SETTING_ISSUER_CA_FILE, P3_SETTING_ISSUER_CA_FILE},
                                     {P3_SETTING_TOKEN_KEY_FILE, P3_SETTING_TOKEN_KEY_FILE},
                                     {P3_SETTING_TOKEN_STORE, P3_SETTING_TOKEN_STORE},
                                     {P3_SETTING_PROXY, P3_SETTING_PROXY},
                                     {P3_SETTING_PROXY_USER, P3_SETTING_PROXY_USER},
                                     {P3_SETTING_PROXY_PASSWORD, P3_SETTING_PROXY_PASSWORD}};
    size_t count = 0;
    p3_settings t = {.name = s->name};
    p3_settings_lend(&t, s, shared, sizeof shared / sizeof *shared);
    while (count < sizeof row->loans / sizeof *row->loans && row->loans[count].as != 0)
        count++;
    p3_settings_lend(&t, s, row->loans, count);
    return t;
}

/* `name`: the target's, if the account has several. */
static bool make_texts(p3_target_secret *t, const p3_settings *tokens, const char *prefix,
                       const char *name, const char *word, const p3_server_address *server)
{
    bool ok = asprintf(&t->key, "%s@%s:%u", t->user, server->host, server->port) >= 0;
    ok = ok && asprintf(&t->word, "--target %s%s%s", name, name[0] != '\0' ? " " : "", word) >= 0;
    if (ok && p3_oauth_is_set(tokens))
        return asprintf(&t->renewal, "run: pop3 authorize %s", t->word) >= 0;
    if (ok && tokens->token_command != NULL)
        return asprintf(&t->renewal, "%stoken-command has to print another token", prefix) >= 0;
    return ok;
}

bool p3_target_secret_make(p3_target_secret *t, const p3_settings *s, const p3_target *target,
                           const char *word, const char *user, const p3_server_address *server)
{
    const p3_secret_row *row = row_of(target->kind);
    t->source.kind = target->kind;
    p3_settings settings = p3_target_secret_settings(t, s);
    fill_in(&settings, row);
    p3_target all[P3_TARGETS_MOST];
    const char *name = p3_settings_targets(s, all) > 1 ? p3_target_row_of(target->kind)->name : "";
    t->host = strdup(server->host);
    t->user = strdup(user);
    if (t->host == NULL || t->user == NULL ||
        !make_texts(t, &settings, row->prefix, name, word, server))
        return false;
    t->settings = p3_settings_pack(&settings);
    t->holder = (p3_account){.name = target->where,
                             .key = t->key,
                             .connection = {.host = t->host},
                             .user = t->user,
                             .tokens = {.word = t->word}};
    t->source = (p3_secret_source){.account = &t->holder,
                                   .settings = t->settings,
                                   .kind = target->kind,
                                   .prefix = row->prefix};
    return t->settings != NULL;
}

void p3_target_secret_free(p3_target_secret *t)
{
    p3_packed_settings_release(t->settings);
    free(t->host);
    free(t->user);
    free(t->key);
    free(t->word);
    free(t->renewal);
}
