/* SCRAM's messages from the client's side (RFC 5802, RFC 7677): text in, text out. What is random,
 * prepared or known of the connection comes from the caller, sasl_scram.c. */
#ifndef P3_AUTH_SCRAM_H
#define P3_AUTH_SCRAM_H

#include <pop3/types.h>

#include "auth/digest.h"
#include "core/octets.h"

/* Bounds on the server's iteration count: below RFC 5802 §5.1's least the exchange could be tried
 * out at leisure by who overheard it, above a server could keep the processor busy for long: this
 * many take half a second, in slices, and more than is recommended anywhere. */
#define P3_SCRAM_LEAST_ITERATIONS 4096
#define P3_SCRAM_MOST_ITERATIONS  2000000

/* What the login says about its binding to TLS (RFC 5802 §6). */
typedef enum p3_scram_flag {
    P3_SCRAM_UNBOUND,   /* n: this side has nothing to bind with, or chose not to */
    P3_SCRAM_UNOFFERED, /* y: it has, and the server did not offer it: if it did, tell */
    P3_SCRAM_BOUND      /* p: bound */
} p3_scram_flag;

/* An exchange. The caller sets the first part, which must outlive the exchange. */
typedef struct p3_scram {
    p3_digest digest;
    const char *user;    /* prepared by SASLprep */
    const char *authzid; /* or NULL */
    const char *nonce;   /* the client's: printable ASCII without commas */
    p3_scram_flag flag;
    const char *binding_name; /* with P3_SCRAM_BOUND: the type, such as "tls-exporter" */
    pop3_str binding;         /* and the octets */

    p3_octets header;                        /* gs2-header */
    p3_octets said;                          /* AuthMessage, as far as it has been said */
    unsigned char signature[P3_DIGEST_MOST]; /* what the server must answer */
    bool proved;                             /* it is known, and the server has our proof */
    p3_octets final;                         /* client-final-message-without-proof */
    p3_stretch *stretch;                     /* the password's, while it is under way; or NULL */
    char why[200];                           /* a sentence about a failure */
} p3_scram;

/* Each returns POP3_OK; POP3_ERR_AUTHENTICATION when the server broke the rules, and
 * POP3_ERR_REFUSED when it reports an error: both with `why`; POP3_ERR_NOT_OFFERED when a digest is
 * not to be had; POP3_ERR_MEMORY. */

/* Appends client-first-message. */
pop3_status p3_scram_first(p3_scram *x, p3_octets *message);

/* Appends client-final-message, the answer to server-first-message. POP3_PENDING when the server
 * wants more iterations than one slice: p3_scram_go_on() does the next, and appends it in the end.
 */
pop3_status p3_scram_final(p3_scram *x, pop3_str challenge, const char *password,
                           p3_octets *message);
pop3_status p3_scram_go_on(p3_scram *x, p3_octets *message);

/* Judges server-final-message: POP3_OK only when the server has proved that it knows the password.
 */
pop3_status p3_scram_verify(p3_scram *x, pop3_str challenge);

/* Wipes and frees what the exchange holds. */
void p3_scram_end(p3_scram *x);

#endif
