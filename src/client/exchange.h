/* One AUTH command and its challenges (RFC 5034), between the engine and a SASL mechanism. */
#ifndef P3_CLIENT_EXCHANGE_H
#define P3_CLIENT_EXCHANGE_H

#include <pop3/login.h>

#include "auth/sasl.h"
#include "client/script.h"

typedef struct p3_exchange {
    p3_sasl *sasl;        /* or NULL before the first */
    p3_sasl_identity who; /* the user, for `sasl` */
    p3_octets initial;    /* the command's initial response */
    bool initial_sent;    /* the current command has it */
    bool challenged;      /* the current command has been answered with a challenge */
    bool reckons;         /* the answer to a challenge needs more computation */
    bool two_lines;       /* the command is sent without the initial response, which was refused */
    pop3_status verdict;  /* the result of the exchange on our side, or POP3_OK */
} p3_exchange;

/* What the end of the command means. */
typedef enum p3_exchange_end {
    P3_EXCHANGE_TAKEN,    /* logged in */
    P3_EXCHANGE_UNPROVEN, /* the server accepted the login without proving itself */
    P3_EXCHANGE_BOGUS,    /* the server accepted the login after this side had cancelled */
    P3_EXCHANGE_GIVEN_UP, /* this side cancelled, and the server has acknowledged that */
    P3_EXCHANGE_AGAIN,    /* try the same without an initial response */
    P3_EXCHANGE_REFUSED,
    P3_EXCHANGE_FAILED /* failed, as the result says */
} p3_exchange_end;

/* Begins with a mechanism, and sets the command; `in_line`: with the initial response, if that is
 * allowed. The secret must outlive the exchange. POP3_OK or the failure. */
pop3_status p3_exchange_begin(p3_exchange *x, p3_mechanism m, const p3_sasl_identity *who,
                              const char *secret, bool in_line, pop3_initial_response allowed,
                              pop3_command *command);

/* The server's challenge, in base64: gives the answer to the engine, or cancels the exchange.
 * POP3_OK; anything else ends the connection. */
pop3_status p3_exchange_challenge(p3_exchange *x, pop3_engine *engine, pop3_str challenge);

/* Does a slice of the computation while x->reckons is set. Returns the same. */
pop3_status p3_exchange_reckon(p3_exchange *x, pop3_engine *engine);

/* The command has ended. `automatic`: the caller lets us choose how the initial response is sent.
 */
p3_exchange_end p3_exchange_judge(p3_exchange *x, const pop3_result *result, bool automatic);

/* Whether a bound login was refused because of its binding: before the server had our proof, or
 * with a text that says so. */
bool p3_exchange_binding_was_refused(const p3_exchange *x, const pop3_result *result);

/* The mechanism's message about a failure, or ""; valid until the next exchange begins. */
const char *p3_exchange_complaint(const p3_exchange *x);

/* Wipes and frees. */
void p3_exchange_free(p3_exchange *x);

#endif
