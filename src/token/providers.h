/* Providers of OAuth 2.0 for mail: one table of what is known of each. */
#ifndef P3_TOKEN_PROVIDERS_H
#define P3_TOKEN_PROVIDERS_H

#include <stdbool.h>

typedef struct p3_provider {
    const char *name;   /* as the setting has it */
    const char *title;  /* for people */
    const char *issuer; /* that authorization answers must name (RFC 9207); NULL: it names none */
    /* In these %s stands for the tenant. NULL: there is none. */
    const char *authorization;
    const char *token;
    const char *device;
    const char *revocation;
    const char *scope;      /* for POP3 on a user's behalf */
    const char *app_scope;  /* for POP3 by client credentials; NULL: the provider has no such */
    const char *imap_scope; /* for delivering to a mailbox by IMAP on a user's behalf */
    const char *smtp_scope; /* the same by SMTP */
    const char *api_scope;  /* for delivering to a mailbox by the provider's own API; or NULL */
    const char *parameters; /* more for the authorization request, "a=b&c=d"; or NULL */
    const char *redirect;   /* how the loopback redirect is registered: http://HOST; or "oob" */
    bool basic;             /* the client secret goes into the header, not into the form */
    const char *no_device;  /* why there is no device grant, when `device` is NULL */
    const char *consent;    /* the page where users withdraw what they consented to */
    const char *revoked_by; /* likely causes of invalid_grant beside the usual ones; or NULL */
    const char *hosts;      /* names of its POP3 servers, with blanks between */
    const char *takes;      /* what those take to log in, as a sentence */
} p3_provider;

/* The provider of a name, or NULL. */
const p3_provider *p3_provider_find(const char *name);

/* The provider that runs a POP3 server, or NULL. */
const p3_provider *p3_provider_of_host(const char *host);

/* A URL of the table with the tenant in it. NULL when `url` is NULL or memory is out; free() it. */
char *p3_provider_url(const char *url, const char *tenant);

/* Whether a word is among words with blanks between: hosts, scopes. Case does not count. */
bool p3_words_have(const char *words, const char *word);

/* Whether a tenant is a name or an id, which can stand in a URL. */
bool p3_provider_tenant_ok(const char *tenant);

#endif
