/* Obtains a user's permission: the authorization code grant with PKCE (RFC 6749 §4.1, RFC 7636, RFC
 * 8252), and the device grant (RFC 8628). Both store the tokens. */
#ifndef P3_TOKEN_AUTHORIZE_H
#define P3_TOKEN_AUTHORIZE_H

#include "token/account.h"

/* The dialogue with the user at the terminal. */
typedef struct p3_token_dialogue {
    /* Shows the address for signing in, and with `code` the code to enter there. */
    void (*show)(void *ctx, const char *url, const char *code);
    /* Asks for the last address that the browser shows. Returns it in new memory, or NULL. */
    char *(*ask)(void *ctx);
    void *ctx;
} p3_token_dialogue;

/* By a browser on this machine, which is redirected to a port of ours. */
bool p3_token_authorize(const p3_token_account *a, const p3_token_dialogue *d, p3_problem *why);

/* By any browser; the user pastes the address that it is redirected to. */
bool p3_token_authorize_pasted(const p3_token_account *a, const p3_token_dialogue *d,
                               p3_problem *why);

/* By any browser, in which a code is entered. */
bool p3_token_authorize_device(const p3_token_account *a, const p3_token_dialogue *d,
                               p3_problem *why);

/* Withdraws the permission if the provider has an endpoint for that (RFC 7009), and deletes the
 * tokens. `*withdrawn` is false if it has none. */
bool p3_token_revoke(const p3_token_account *a, bool *withdrawn, p3_problem *why);

#endif
