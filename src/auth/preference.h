/* Which mechanism a login uses: the best that the server offers, this build has and the caller
 * allows. */
#ifndef P3_AUTH_PREFERENCE_H
#define P3_AUTH_PREFERENCE_H

#include "auth/mechanism.h"

/* Whether this build has it. */
bool p3_mechanism_built(p3_mechanism m);

/* What limits the choice. */
typedef struct p3_circumstances {
    bool encrypted;       /* the connection is under TLS */
    bool private_line;    /* nobody can eavesdrop: TLS, or a Unix-domain socket */
    bool binding;         /* there is a channel binding */
    bool password;        /* there is, or may be, a password */
    bool token;           /* there is, or may be, a token */
    bool user;            /* there is a user name */
    bool allow_plaintext; /* the secret may be sent unprotected */
    bool never_reveal;    /* the secret may not even be revealed to the server */
} p3_circumstances;

/* The best of the offered mechanisms. *insecure is set when there is none, but would be one if the
 * secret could be sent unprotected. */
p3_mechanism p3_mechanism_pick(p3_mechanisms offered, const p3_circumstances *c, bool *insecure);

/* The best of the offered mechanisms, except those in `spent`, after one was refused: none that
 * protects the secret less. A mechanism that only proves the secret (SCRAM) is never followed by
 * one that reveals it, nor a bound one by an unbound one, nor one by which the server proves itself
 * by one without that. APOP is followed by USER if the secret may be revealed. P3_MECH_NONE when
 * there is none. */
p3_mechanism p3_mechanism_after(p3_mechanism refused, p3_mechanisms offered, p3_mechanisms spent,
                                const p3_circumstances *c);

#endif
