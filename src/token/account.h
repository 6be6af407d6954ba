/* An account as this room sees it: who is asked for tokens, in whose name, and where they are kept.
 *
 * Read the headers of this room in this order: providers.h, record.h, seal.h, keyring.h, store.h,
 * this file, endpoints.h, request.h, token.h; then loopback.h, permission.h, authorize.h.
 */
#ifndef P3_TOKEN_ACCOUNT_H
#define P3_TOKEN_ACCOUNT_H

#include "web/http.h"
#include "token/providers.h"
#include "token/store.h"

/* On whose behalf. */
typedef enum p3_grant {
    P3_GRANT_USER,  /* a user's, who consents once; refresh tokens from then on */
    P3_GRANT_CLIENT /* the client's own: client credentials (RFC 6749 §4.4) */
} p3_grant;

/* Everything is the caller's; strings may be NULL but for `word`. */
typedef struct p3_token_account {
    const char *word;            /* what the command line calls it: "pop3 authorize WORD" */
    const char *user;            /* whose mail it is: a hint for the sign-in */
    const p3_provider *provider; /* of the table; NULL: `issuer` is asked */
    const char *issuer;
    const char *tenant;
    const char *scope;     /* NULL: what the provider's row says */
    const char *client_id; /* NULL: as which we registered ourselves */
    const char *client_secret;
    p3_grant grant;
    p3_http_way way;
    p3_token_store store;
} p3_token_account;

#endif
