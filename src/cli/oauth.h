/* Accounts that log in with OAuth 2.0 tokens: their settings, as src/token takes them, and where
 * their tokens come from inside and outside of the sandbox. */
#ifndef P3_CLI_OAUTH_H
#define P3_CLI_OAUTH_H

#include "cli/secret_source.h"
#include "confine/runner.h"
#include "token/account.h"

/* An account's settings with what was read for them. All zero: nothing. */
typedef struct p3_oauth {
    p3_token_account account;
    char *path; /* of the file that tokens are kept in */
    char *proxy;
    char *client_secret;
    unsigned char *key;
    size_t key_len;
} p3_oauth;

/* Whether an account logs in with tokens that we obtain. */
bool p3_oauth_is_set(const p3_settings *s);
bool p3_oauth_is_used(const p3_secret_source *s);

/* The URL of the account's proxy, which is for the provider, too: who uses one may depend on it for
 * privacy. In new memory; NULL where there is none. False when out of memory. */
bool p3_oauth_proxy(const p3_settings *s, char **url);

/* Reads what belongs to an account: the client's secret, the key, and where the tokens are, in a
 * directory that is made when it is missing. Free with p3_oauth_free(), also after a failure. */
bool p3_oauth_read(const p3_secret_source *s, p3_oauth *out, p3_problem *why);
void p3_oauth_free(p3_oauth *o);

/* Adds to a problem with the settings how they begin where the tokens are a target's. */
void p3_oauth_name_settings(const p3_secret_source *s, p3_problem *why);

/* Gives an access token; what `out` has already was refused. The process outside is asked where the
 * account is one of its duties, and else the token is found here. */
bool p3_oauth_find(const p3_secret_source *s, p3_secret *out, p3_problem *why);

/* A p3_provide_fn: in the process outside, of an array of sources. */
void p3_oauth_provide(void *sources, uint32_t which, const p3_provide_hint *refused, int to);

#endif
