/* Obtaining a user's permission: the authorization code grant with PKCE (RFC 6749 §4.1, RFC 7636,
 * RFC 8252), and the device grant (RFC 8628). Both end with tokens that are kept. */
#ifndef P3_TOKEN_AUTHORIZE_H
#define P3_TOKEN_AUTHORIZE_H

#include "token/account.h"

/* How the person at the terminal is spoken to. */
typedef struct p3_token_dialogue {
    /* Shows where to sign in: `url` in a browser; with `code`, which is then entered there. */
    void (*show)(void *ctx, const char *url, const char *code);
    /* Asks for what the browser shows in the end. Returns it in new memory, or NULL. */
    char *(*ask)(void *ctx);
    void *ctx;
} p3_token_dialogue;

/* By a browser on this machine, which is sent back to a port of ours. */
bool p3_token_authorize(const p3_token_account *a, const p3_token_dialogue *d, p3_problem *why);

/* By a browser anywhere; the person pastes what it is sent back to. */
bool p3_token_authorize_pasted(const p3_token_account *a, const p3_token_dialogue *d,
                               p3_problem *why);

/* By a browser anywhere, where a code is entered. */
bool p3_token_authorize_device(const p3_token_account *a, const p3_token_dialogue *d,
                               p3_problem *why);

/* Withdraws the permission where the provider has an endpoint for that (RFC 7009), and forgets the
 * tokens. `*withdrawn` is false where it has none. */
bool p3_token_revoke(const p3_token_account *a, bool *withdrawn, p3_problem *why);

#endif
