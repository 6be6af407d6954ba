/* Shared by the grants: the client, and storing what was granted. */
#ifndef P3_TOKEN_PERMISSION_H
#define P3_TOKEN_PERMISSION_H

#include "token/endpoints.h"
#include "token/request.h"

/* The client and the endpoints. */
typedef struct p3_permission {
    const p3_token_account *account;
    p3_endpoints at;
    char *client_id;     /* from the settings, or just registered */
    char *client_secret; /* of a client that was just registered; or NULL */
} p3_permission;

/* Finds the endpoints, and registers a client if none is given and the issuer allows it (RFC 7591).
 * Free with p3_permission_end(), also after a failure. */
bool p3_permission_begin(p3_permission *p, const p3_token_account *a, p3_problem *why);
void p3_permission_end(p3_permission *p);

/* The scope to request; NULL: none. */
const char *p3_permission_scope(const p3_permission *p);

/* Sends the form to the token endpoint. */
p3_token_outcome p3_permission_ask(const p3_permission *p, p3_form *form, const char *doing,
                                   p3_token_reply *reply, p3_problem *why);

/* Stores what was granted, replacing what was stored. */
bool p3_permission_keep(const p3_permission *p, const json_t *granted, int64_t asked,
                        const char *doing, p3_problem *why);

#endif
