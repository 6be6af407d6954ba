/* Providers of OAuth 2.0 for mail: one table. */
#ifndef P3_TOKEN_PROVIDERS_H
#define P3_TOKEN_PROVIDERS_H

#include <stdbool.h>

typedef struct p3_provider {
    const char *name;   /* the value of the setting */
    const char *title;  /* for messages */
    const char *issuer; /* the name that authorization answers must have (RFC 9207); NULL: none */
    /* In these %s is replaced by the tenant. NULL: there is none. */
    const char *authorization;
    const char *token;
    const char *device;
    const char *revocation;
    const char *scope;      /* for POP3, granted by a user */
    const char *app_scope;  /* for POP3 by client credentials; NULL: not supported */
    const char *imap_scope; /* for delivery by IMAP, granted by a user */
    const char *smtp_scope; /* for delivery by SMTP */
    const char *api_scope;  /* for delivery by the provider's own API; or NULL */
    const char
        *parameters;       /* further parameters of the authorization request, "a=b&c=d"; or NULL */
    const char *redirect;  /* form of the registered loopback redirect: http://HOST; or "oob" */
    bool basic;            /* the client secret is sent in the header, not in the form */
    const char *no_device; /* why there is no device grant, if `device` is NULL */
    const char *consent;   /* the page where users withdraw their consent */
    const char *revoked_by; /* further likely causes of invalid_grant; or NULL */
    const char *hosts;      /* names of its POP3 servers, separated by blanks */
    const char *takes;      /* the mechanisms that these accept, as a sentence */
} p3_provider;

/* The provider of a name, or NULL. */
const p3_provider *p3_provider_find(const char *name);

/* The provider that runs a POP3 server, or NULL. */
const p3_provider *p3_provider_of_host(const char *host);

/* A URL of the table with the tenant. NULL when `url` is NULL or out of memory; free() it. */
char *p3_provider_url(const char *url, const char *tenant);

/* Whether a list separated by blanks (hosts, scopes) contains a word, ignoring case. */
bool p3_words_have(const char *words, const char *word);

/* Whether a tenant is a name or id that can be part of a URL. */
bool p3_provider_tenant_ok(const char *tenant);

#endif
