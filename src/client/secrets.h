/* The password and the token of a login: given, or asked for when a method needs them. */
#ifndef P3_CLIENT_SECRETS_H
#define P3_CLIENT_SECRETS_H

#include <pop3/login.h>

#include "core/octets.h"

/* Arrays are by pop3_secret_kind. */
typedef struct p3_secrets {
    p3_octets of[2];    /* data NULL when there is none */
    bool asked[2];      /* the callback has been asked for this kind */
    bool lacking[2];    /* it has none of this kind */
    pop3_secret_fn ask; /* or NULL */
    void *ctx;
} p3_secrets;

/* Whether a secret can be used: UTF-8 without CR, LF and NUL, not too long. */
bool p3_secret_ok(pop3_str s);

/* Copies what the options give. False when out of memory; p3_secrets_free() all the same. */
bool p3_secrets_init(p3_secrets *s, const pop3_login_options *o);

/* Wipes and frees. */
void p3_secrets_free(p3_secrets *s);

/* Whether there is, or may be, a secret of a kind. */
bool p3_secrets_may_have(const p3_secrets *s, pop3_secret_kind kind);

/* Gets a secret, from the callback if need be, which is asked once. POP3_OK; POP3_ERR_NOT_OFFERED
 * when the callback has none of the kind; POP3_ERR_ARGUMENT when there is none, or it cannot be
 * used; POP3_ERR_CANCELLED when the callback gave up; POP3_ERR_MEMORY. */
pop3_status p3_secrets_fetch(p3_secrets *s, pop3_secret_kind kind, const char *user);

/* A secret, terminated; empty when there is none. */
pop3_str p3_secret_of(const p3_secrets *s, pop3_secret_kind kind);

/* A text of the server's, up to where it repeats a secret. */
pop3_str p3_secrets_public_part(const p3_secrets *s, pop3_str text);

#endif
