/* What the grants of a permission share: the client, and keeping what was granted. */
#ifndef P3_TOKEN_PERMISSION_H
#define P3_TOKEN_PERMISSION_H

#include "token/endpoints.h"
#include "token/request.h"

/* Who asks whom. */
typedef struct p3_permission {
    const p3_token_account *account;
    p3_endpoints at;
    char *client_id;     /* given, or registered now */
    char *client_secret; /* of a client that was registered now; NULL */
} p3_permission;

/* Finds the endpoints, and registers a client where none is given and the issuer registers some
 * (RFC 7591). Free with p3_permission_end(), also after a failure. */
bool p3_permission_begin(p3_permission *p, const p3_token_account *a, p3_problem *why);
void p3_permission_end(p3_permission *p);

/* The scope to ask for; NULL: none. */
const char *p3_permission_scope(const p3_permission *p);

/* Asks the token endpoint for what the form says. */
p3_token_outcome p3_permission_ask(const p3_permission *p, p3_form *form, const char *doing,
                                   p3_token_reply *reply, p3_problem *why);

/* Keeps what was granted, in place of what was kept before. */
bool p3_permission_keep(const p3_permission *p, const json_t *granted, int64_t asked,
                        const char *doing, p3_problem *why);

#endif
