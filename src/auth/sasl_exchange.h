/* One SASL exchange from the client's side, as a mechanism sees it: challenges and responses are
 * decoded. */
#ifndef P3_AUTH_SASL_EXCHANGE_H
#define P3_AUTH_SASL_EXCHANGE_H

#include <pop3/types.h>

#include "auth/mechanism.h"
#include "core/octets.h"

/* What the exchange is about. Strings are the caller's and must outlive the exchange. */
typedef struct p3_sasl_identity {
    const char *user;    /* or NULL */
    const char *authzid; /* or NULL */
    const char *secret;  /* password or token, or NULL */
    const char *realm;   /* or NULL */
    const char *host;    /* the service's host */
    uint16_t port;
    const char *binding_name; /* the type of channel binding; NULL when there is none */
    pop3_str binding;         /* its octets */
    bool binding_offered;     /* the server offers the method's bound form, too */
} p3_sasl_identity;

/* An exchange under way. */
typedef struct p3_sasl p3_sasl;

/* What a mechanism answers to a challenge. POP3_OK with the response; POP3_PENDING when that takes
 * more arithmetic, of which go_on() does a slice each time; POP3_ERR_REFUSED when the
 * challenge says that the login fails, where the response is what the server waits for before it
 * says so in POP3's words; POP3_ERR_AUTHENTICATION when the server breaks the rules or does not
 * prove itself; POP3_ERR_NOT_OFFERED when this side has not what it takes; POP3_ERR_ARGUMENT;
 * POP3_ERR_MEMORY. */
typedef pop3_status (*p3_sasl_step_fn)(p3_sasl *s, pop3_str challenge, p3_octets *response);

struct p3_sasl {
    p3_mechanism mechanism;
    const p3_sasl_identity *id;
    p3_sasl_step_fn step;
    pop3_status (*go_on)(p3_sasl *s, p3_octets *response); /* after POP3_PENDING */
    void (*finish)(p3_sasl *s);                            /* frees `state`; or NULL */
    void *state;                                           /* the mechanism's own */
    unsigned steps;                                        /* taken so far */
    bool complete;       /* the client's side is content: success may be believed */
    char complaint[400]; /* a sentence about a failure, or what the server says of it; or "" */
};

/* Notes what is wrong; returns status. */
pop3_status p3_sasl_fail(p3_sasl *s, pop3_status status, const char *why);

/* Notes that the server sent a challenge that the method does not have. POP3_ERR_AUTHENTICATION. */
pop3_status p3_sasl_out_of_turn(p3_sasl *s);

#endif
