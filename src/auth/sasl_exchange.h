/* One SASL exchange on the client's side, for a mechanism: challenges and responses are decoded. */
#ifndef P3_AUTH_SASL_EXCHANGE_H
#define P3_AUTH_SASL_EXCHANGE_H

#include <pop3/types.h>

#include "auth/mechanism.h"
#include "core/octets.h"

/* The parameters of an exchange. The strings belong to the caller and must outlive it. */
typedef struct p3_sasl_identity {
    const char *user;    /* or NULL */
    const char *authzid; /* or NULL */
    const char *secret;  /* password or token, or NULL */
    const char *realm;   /* or NULL */
    const char *host;    /* the server's host */
    uint16_t port;
    const char *binding_name; /* the type of channel binding; NULL: none */
    pop3_str binding;         /* its value */
    bool binding_offered;     /* the server also offers the mechanism's bound form */
} p3_sasl_identity;

/* An exchange. */
typedef struct p3_sasl p3_sasl;

/* A mechanism's answer to a challenge. POP3_OK with the response; POP3_PENDING when it needs more
 * computation, of which each go_on() does a slice; POP3_ERR_REFUSED when the challenge says that
 * the login fails, and the response is what the server waits for before it sends -ERR;
 * POP3_ERR_AUTHENTICATION when the server violates the protocol or does not prove itself;
 * POP3_ERR_NOT_OFFERED when something is not available on this side; POP3_ERR_ARGUMENT;
 * POP3_ERR_MEMORY. */
typedef pop3_status (*p3_sasl_step_fn)(p3_sasl *s, pop3_str challenge, p3_octets *response);

struct p3_sasl {
    p3_mechanism mechanism;
    const p3_sasl_identity *id;
    p3_sasl_step_fn step;
    pop3_status (*go_on)(p3_sasl *s, p3_octets *response); /* after POP3_PENDING */
    void (*finish)(p3_sasl *s);                            /* frees `state`; or NULL */
    void *state;                                           /* belongs to the mechanism */
    unsigned steps;                                        /* steps done so far */
    bool complete;       /* the client's side is complete: +OK may be believed */
    char complaint[400]; /* a message about a failure, possibly the server's; or "" */
};

/* Records a failure; returns status. */
pop3_status p3_sasl_fail(p3_sasl *s, pop3_status status, const char *why);

/* Records that the server sent a challenge that the mechanism does not have.
 * POP3_ERR_AUTHENTICATION. */
pop3_status p3_sasl_out_of_turn(p3_sasl *s);

#endif
