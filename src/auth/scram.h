/* SCRAM's messages on the client's side (RFC 5802, RFC 7677): text in, text out. The caller,
 * sasl_scram.c, provides random and prepared text and the channel binding. */
#ifndef P3_AUTH_SCRAM_H
#define P3_AUTH_SCRAM_H

#include <pop3/types.h>

#include "auth/digest.h"
#include "core/octets.h"

/* Limits of the server's iteration count. Below the minimum of RFC 5802 §5.1 an eavesdropper could
 * easily guess the password. Above the maximum a server could keep the processor busy: it takes
 * half a second, in slices, and is more than anybody recommends. */
#define P3_SCRAM_LEAST_ITERATIONS 4096
#define P3_SCRAM_MOST_ITERATIONS  2000000

/* The flag for channel binding (RFC 5802 §6). */
typedef enum p3_scram_flag {
    P3_SCRAM_UNBOUND,   /* n: this side has no binding, or does not use it */
    P3_SCRAM_UNOFFERED, /* y: this side has one, but the server did not offer it */
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
    p3_octets said;                          /* AuthMessage, as far as it has been sent */
    unsigned char signature[P3_DIGEST_MOST]; /* the signature that the server must send */
    bool proved;                             /* it is known, and the server has our proof */
    p3_octets final;                         /* client-final-message-without-proof */
    p3_stretch *stretch;                     /* computation on the password; or NULL */
    char why[200];                           /* a message about a failure */
} p3_scram;

/* Each returns POP3_OK; POP3_ERR_AUTHENTICATION when the server violates the protocol, and
 * POP3_ERR_REFUSED when it reports an error, both with `why`; POP3_ERR_NOT_OFFERED when a digest is
 * not available; POP3_ERR_MEMORY. */

/* Appends client-first-message. */
pop3_status p3_scram_first(p3_scram *x, p3_octets *message);

/* Appends client-final-message, the answer to server-first-message. POP3_PENDING when the server
 * wants more iterations than one slice: p3_scram_go_on() does the next one, and finally appends the
 * message. */
pop3_status p3_scram_final(p3_scram *x, pop3_str challenge, const char *password,
                           p3_octets *message);
pop3_status p3_scram_go_on(p3_scram *x, p3_octets *message);

/* Verifies server-final-message: POP3_OK only when the server has proved that it knows the
 * password. */
pop3_status p3_scram_verify(p3_scram *x, pop3_str challenge);

/* Wipes and frees the contents of an exchange. */
void p3_scram_end(p3_scram *x);

#endif
