/* Which method a login uses: the best that the server offers, this build has and the caller allows.
 */
#ifndef P3_AUTH_PREFERENCE_H
#define P3_AUTH_PREFERENCE_H

#include "auth/mechanism.h"

/* Whether this build has it. */
bool p3_mechanism_built(p3_mechanism m);

/* What may be picked. */
typedef struct p3_circumstances {
    bool encrypted;       /* the connection is under TLS */
    bool private_line;    /* nobody can listen: TLS, or a Unix-domain socket */
    bool binding;         /* there is something to bind to TLS with */
    bool password;        /* there is, or may be, a password */
    bool token;           /* there is, or may be, a token */
    bool user;            /* a user is named */
    bool allow_plaintext; /* the secret may be shown to who listens */
    bool never_reveal;    /* the secret may not even be shown to the server */
} p3_circumstances;

/* The best of the offered methods. *insecure is set when there is none, but would be if the secret
 * might be shown to who listens. */
p3_mechanism p3_mechanism_pick(p3_mechanisms offered, const p3_circumstances *c, bool *insecure);

/* The best of the offered methods, but for those `spent`, to follow one that was refused: none that
 * protects the secret less. Methods that only prove the secret (SCRAM) are never followed by one
 * that shows it, nor a bound one by one that is not, nor one by which the server proves itself by
 * one without; APOP is followed by USER where the secret may be shown. P3_MECH_NONE when there is
 * none. */
p3_mechanism p3_mechanism_after(p3_mechanism refused, p3_mechanisms offered, p3_mechanisms spent,
                                const p3_circumstances *c);

#endif
