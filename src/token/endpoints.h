/* The endpoints of a provider: from the table, or from its own metadata (RFC 8414, OpenID Connect
 * Discovery). */
#ifndef P3_TOKEN_ENDPOINTS_H
#define P3_TOKEN_ENDPOINTS_H

#include "token/account.h"

/* All strings are owned; NULL: there is none. */
typedef struct p3_endpoints {
    char *issuer; /* the name that an authorization answer must have, if it has one */
    char *authorization;
    char *token;
    char *device;
    char *revocation;
    char *registration;
    bool basic;        /* the token endpoint requires the client's secret in the header */
    bool names_issuer; /* authorization answers always have the issuer's name (RFC 9207 §3) */
} p3_endpoints;

/* Finds them. Returns false with the problem. Free with p3_endpoints_free(), also after a failure.
 */
bool p3_endpoints_find(const p3_token_account *a, p3_endpoints *out, p3_problem *why);
void p3_endpoints_free(p3_endpoints *e);

#endif
