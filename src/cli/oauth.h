/* Accounts that log in with OAuth 2.0 tokens: their settings for src/token, and the source of their
 * tokens inside and outside of the sandbox. */
#ifndef P3_CLI_OAUTH_H
#define P3_CLI_OAUTH_H

#include "cli/secret_source.h"
#include "confine/runner.h"
#include "token/account.h"

/* An account's settings, and the files that they name. All zero: nothing. */
typedef struct p3_oauth {
    p3_token_account account;
    char *path; /* of the file with the tokens */
    char *proxy;
    char *client_secret;
    unsigned char *key;
    size_t key_len;
} p3_oauth;

/* Whether an account logs in with tokens that we obtain. */
bool p3_oauth_is_set(const p3_settings *s);
bool p3_oauth_is_used(const p3_secret_source *s);

/* The URL of the account's proxy, which is also used for the provider, because its user may depend
 * on it for privacy. In new memory; NULL: none. False when out of memory. */
bool p3_oauth_proxy(const p3_settings *s, char **url);

/* Reads what belongs to an account: the client's secret, the key, and the path of the tokens, whose
 * directory is created if it is missing. Free with p3_oauth_free(), also after a failure. */
bool p3_oauth_read(const p3_secret_source *s, p3_oauth *out, p3_problem *why);
void p3_oauth_free(p3_oauth *o);

/* Adds to a problem the prefix of the settings' names, if the tokens are a target's. */
void p3_oauth_name_settings(const p3_secret_source *s, p3_problem *why);

/* Returns an access token; one that `out` already has was refused. The process outside is asked if
 * the account is one of its duties; otherwise the token is obtained here. */
bool p3_oauth_find(const p3_secret_source *s, p3_secret *out, p3_problem *why);

/* A p3_provide_fn, for an array of sources, in the process outside. */
void p3_oauth_provide(void *sources, uint32_t which, const p3_provide_hint *refused, int to);

#endif
