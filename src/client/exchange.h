/* One AUTH command and its challenges (RFC 5034), between the engine and a SASL mechanism. */
#ifndef P3_CLIENT_EXCHANGE_H
#define P3_CLIENT_EXCHANGE_H

#include <pop3/login.h>

#include "auth/sasl.h"
#include "client/script.h"

typedef struct p3_exchange {
    p3_sasl *sasl;        /* or NULL before the first */
    p3_sasl_identity who; /* who logs in, for `sasl` */
    p3_octets initial;    /* the initial response of the command */
    bool initial_sent;    /* the command under way has it */
    bool challenged;      /* the command under way has been answered with a challenge */
    bool reckons;         /* the answer to a challenge takes more steps */
    bool two_lines;       /* it is sent without the initial response that was refused */
    pop3_status verdict;  /* what the exchange came to on our side, or POP3_OK */
} p3_exchange;

/* What the end of the command means. */
typedef enum p3_exchange_end {
    P3_EXCHANGE_TAKEN,    /* logged in */
    P3_EXCHANGE_UNPROVEN, /* logged in by a server that did not prove itself */
    P3_EXCHANGE_BOGUS,    /* logged in after this side gave up */
    P3_EXCHANGE_GIVEN_UP, /* this side gave up, and the server has acknowledged it */
    P3_EXCHANGE_AGAIN,    /* the same, without an initial response */
    P3_EXCHANGE_REFUSED,
    P3_EXCHANGE_FAILED /* as the result says */
} p3_exchange_end;

/* Begins with a mechanism, and makes the command; `in_line`: with the initial response, where it is
 * allowed. The secret must outlive the exchange. POP3_OK or why not. */
pop3_status p3_exchange_begin(p3_exchange *x, p3_mechanism m, const p3_sasl_identity *who,
                              const char *secret, bool in_line, pop3_initial_response allowed,
                              pop3_command *command);

/* The server's challenge, in base64: has the engine send the answer, or give the exchange up.
 * POP3_OK; anything else ends the connection. */
pop3_status p3_exchange_challenge(p3_exchange *x, pop3_engine *engine, pop3_str challenge);

/* Does some of the arithmetic of an answer, while x->reckons. Returns as above. */
pop3_status p3_exchange_reckon(p3_exchange *x, pop3_engine *engine);

/* The command is over. `automatic`: the caller leaves it to us how the initial response goes. */
p3_exchange_end p3_exchange_judge(p3_exchange *x, const pop3_result *result, bool automatic);

/* Whether a bound login was refused for its binding: before the server had our proof, or in words
 * for it. */
bool p3_exchange_binding_was_refused(const p3_exchange *x, const pop3_result *result);

/* What the mechanism has to say of a failure, or ""; lives until the next exchange begins. */
const char *p3_exchange_complaint(const p3_exchange *x);

/* Wipes and frees. */
void p3_exchange_free(p3_exchange *x);

#endif
