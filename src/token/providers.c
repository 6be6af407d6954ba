/* Providers of OAuth 2.0 for mail: one table. */
#include "token/providers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const p3_provider providers[] = {
    {
        .name = "google",
        .title = "Google",
        .issuer = "https://accounts.google.com",
        .authorization = "https://accounts.google.com/o/oauth2/v2/auth",
        .token = "https://oauth2.googleapis.com/token",
        .revocation = "https://oauth2.googleapis.com/revoke",
        .scope = "https://mail.google.com/",
        .imap_scope = "https://mail.google.com/",
        .smtp_scope = "https://mail.google.com/",
        /* For delivering, for searching, and for creating labels. */
        .api_scope = "https://www.googleapis.com/auth/gmail.insert "
                     "https://www.googleapis.com/auth/gmail.readonly "
                     "https://www.googleapis.com/auth/gmail.labels",
        /* Without these there is no refresh token after the second consent. */
        .parameters = "access_type=offline&prompt=consent",
        .redirect = "http://127.0.0.1",
        .no_device = "Google grants access to mail to no device",
        .consent = "https://myaccount.google.com/connections",
        .revoked_by = "a Google project whose publishing status is Testing loses its refresh "
                      "tokens after 7 days",
        .hosts = "pop.gmail.com pop.googlemail.com",
        .takes = "Google accepts app passwords and OAuth 2.0 tokens only",
    },
    {
        .name = "microsoft",
        .title = "Microsoft",
        .authorization = "https://login.microsoftonline.com/%s/oauth2/v2.0/authorize",
        .token = "https://login.microsoftonline.com/%s/oauth2/v2.0/token",
        .device = "https://login.microsoftonline.com/%s/oauth2/v2.0/devicecode",
        .scope = "https://outlook.office.com/POP.AccessAsUser.All offline_access",
        .imap_scope = "https://outlook.office.com/IMAP.AccessAsUser.All offline_access",
        .smtp_scope = "https://outlook.office.com/SMTP.Send offline_access",
        .app_scope = "https://outlook.office365.com/.default",
        /* Any port is accepted for localhost only; an address must be registered with its port. */
        .redirect = "http://localhost",
        .consent = "https://myapps.microsoft.com or https://account.live.com/consent/Manage",
        .revoked_by = "an administrator's policy requires another sign-in",
        .hosts = "outlook.office365.com pop-mail.outlook.com outlook.office.com",
        .takes = "Microsoft accepts OAuth 2.0 tokens only",
    },
    {
        .name = "yahoo",
        .title = "Yahoo",
        .issuer = "https://api.login.yahoo.com",
        .authorization = "https://api.login.yahoo.com/oauth2/request_auth",
        .token = "https://api.login.yahoo.com/oauth2/get_token",
        .revocation = "https://api.login.yahoo.com/oauth2/revoke",
        .scope = "mail-r",
        .imap_scope = "mail-w",
        .smtp_scope = "mail-w",
        .redirect = "oob",
        .basic = true,
        .no_device = "Yahoo has no device grant",
        .consent = "https://login.yahoo.com/account/activity",
        .hosts = "pop.mail.yahoo.com",
        .takes = "Yahoo accepts app passwords and OAuth 2.0 tokens only",
    },
    {
        .name = "fastmail",
        .title = "Fastmail",
        .issuer = "https://api.fastmail.com",
        .authorization = "https://api.fastmail.com/oauth/authorize",
        .token = "https://api.fastmail.com/oauth/refresh",
        .revocation = "https://api.fastmail.com/oauth/revoke",
        .scope = "https://www.fastmail.com/dev/protocol-pop",
        .imap_scope = "https://www.fastmail.com/dev/protocol-imap",
        .smtp_scope = "https://www.fastmail.com/dev/protocol-smtp",
        .redirect = "http://localhost",
        .no_device = "Fastmail has no device grant",
        .consent = "https://app.fastmail.com/settings/security/apps",
        .hosts = "pop.fastmail.com",
        .takes = "Fastmail accepts app passwords and OAuth 2.0 tokens only",
    },
};

#define P3_PROVIDERS (sizeof providers / sizeof *providers)

const p3_provider *p3_provider_find(const char *name)
{
    for (size_t i = 0; i < P3_PROVIDERS; i++) {
        if (strcmp(providers[i].name, name) == 0)
            return &providers[i];
    }
    return NULL;
}

bool p3_words_have(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = words; *at != '\0'; at += strspn(at, " ")) {
        size_t n = strcspn(at, " ");
        if (n == len && strncasecmp(at, word, n) == 0)
            return true;
        at += n;
    }
    return false;
}

const p3_provider *p3_provider_of_host(const char *host)
{
    for (size_t i = 0; host != NULL && i < P3_PROVIDERS; i++) {
        if (p3_words_have(providers[i].hosts, host))
            return &providers[i];
    }
    return NULL;
}

char *p3_provider_url(const char *url, const char *tenant)
{
    const char *hole = url != NULL ? strstr(url, "%s") : NULL;
    char *out = NULL;
    if (hole == NULL)
        return url != NULL ? strdup(url) : NULL;
    if (asprintf(&out, "%.*s%s%s", (int)(hole - url), url, tenant, hole + 2) < 0)
        return NULL;
    return out;
}

bool p3_provider_tenant_ok(const char *tenant)
{
    size_t len = strspn(tenant, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");
    return len > 0 && len < 254 && tenant[len] == '\0' && strstr(tenant, "..") == NULL;
}
