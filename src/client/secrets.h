/* The password and the token of a login: given in the options, or requested when a mechanism needs
 * them. */
#ifndef P3_CLIENT_SECRETS_H
#define P3_CLIENT_SECRETS_H

#include <pop3/login.h>

#include "core/octets.h"

/* Arrays are by pop3_secret_kind. */
typedef struct p3_secrets {
    p3_octets of[2];    /* data is NULL when there is none */
    bool asked[2];      /* the callback has been called for this kind */
    bool lacking[2];    /* it has none of this kind */
    pop3_secret_fn ask; /* or NULL */
    void *ctx;
} p3_secrets;

/* Whether a secret can be used: UTF-8 without CR, LF and NUL, and not too long. */
bool p3_secret_ok(pop3_str s);

/* Copies the secrets in the options. False when out of memory; call p3_secrets_free() in any case.
 */
bool p3_secrets_init(p3_secrets *s, const pop3_login_options *o);

/* Wipes and frees. */
void p3_secrets_free(p3_secrets *s);

/* Whether there is, or may be, a secret of a kind. */
bool p3_secrets_may_have(const p3_secrets *s, pop3_secret_kind kind);

/* Gets a secret, if needed from the callback, which is called once. POP3_OK; POP3_ERR_NOT_OFFERED
 * when the callback has none of this kind; POP3_ERR_ARGUMENT when there is none, or it cannot be
 * used; POP3_ERR_CANCELLED when the callback cancelled; POP3_ERR_MEMORY. */
pop3_status p3_secrets_fetch(p3_secrets *s, pop3_secret_kind kind, const char *user);

/* A secret, terminated; empty when there is none. */
pop3_str p3_secret_of(const p3_secrets *s, pop3_secret_kind kind);

/* A text from the server, up to where it repeats a secret. */
pop3_str p3_secrets_public_part(const p3_secrets *s, pop3_str text);

#endif
