/* An account for this room: the provider, the user, and the store of its tokens.
 *
 * Read the headers of this room in this order: providers.h, record.h, seal.h, keyring.h, store.h,
 * this file, endpoints.h, request.h, token.h; then loopback.h, permission.h, authorize.h. */
#ifndef P3_TOKEN_ACCOUNT_H
#define P3_TOKEN_ACCOUNT_H

#include "web/http.h"
#include "token/providers.h"
#include "token/store.h"

/* Who grants the permission. */
typedef enum p3_grant {
    P3_GRANT_USER,  /* a user, who consents once; from then on refresh tokens are used */
    P3_GRANT_CLIENT /* the client itself: client credentials (RFC 6749 §4.4) */
} p3_grant;

/* Everything belongs to the caller; strings may be NULL, except for `word`. */
typedef struct p3_token_account {
    const char *word;            /* its name on the command line: "pop3 authorize WORD" */
    const char *user;            /* the user of the mailbox: a hint for the sign-in */
    const p3_provider *provider; /* a row of the table; NULL: `issuer` is asked */
    const char *issuer;
    const char *tenant;
    const char *scope;     /* NULL: the one in the provider's row */
    const char *client_id; /* NULL: the client that we registered */
    const char *client_secret;
    p3_grant grant;
    p3_http_way way;
    p3_token_store store;
} p3_token_account;

#endif
