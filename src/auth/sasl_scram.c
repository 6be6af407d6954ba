/* SCRAM as a SASL mechanism: prepares the names, chooses the nonce and the binding; scram.c has the
 * messages. */
#include "auth/sasl_mechanisms.h"

#include "auth/saslname.h"
#include "auth/scram.h"
#include "core/base64.h"
#include "core/text.h"
#include "core/wipe.h"

#include <stdlib.h>

/* Octets of randomness in a nonce. */
#define P3_NONCE 24

typedef struct p3_scram_state {
    p3_scram exchange;
    p3_octets user;  /* prepared */
    p3_octets nonce; /* in base64, which has no comma */
} p3_scram_state;

static void finish_scram(p3_sasl *s)
{
    p3_scram_state *state = s->state;
    p3_scram_end(&state->exchange);
    p3_octets_free(&state->user);
    p3_octets_free(&state->nonce);
    p3_wipe_free(state, sizeof *state);
}

/* Appends a prepared name or password, or describes what is wrong with it. */
static pop3_status append_prepared(p3_sasl *s, p3_octets *out, const char *text, bool is_password)
{
    pop3_status status = p3_add_prepared(out, text);
    if (status == POP3_ERR_ARGUMENT)
        p3_sasl_fail(s, status,
                     is_password ? "the password has characters that SASLprep does not allow"
                                 : "the user's name has characters that SASLprep does not "
                                   "allow");
    else if (status == POP3_ERR_NOT_OFFERED)
        p3_sasl_fail(
            s, status,
            "names and passwords beyond ASCII need SASLprep, for which GNU SASL is missing");
    return status;
}

static p3_scram_flag flag_of(const p3_sasl *s)
{
    if (p3_mechanism_is(p3_mechanism_about(s->mechanism), P3_IS_BOUND))
        return P3_SCRAM_BOUND;
    return s->id->binding_name != NULL && !s->id->binding_offered ? P3_SCRAM_UNOFFERED
                                                                  : P3_SCRAM_UNBOUND;
}

static pop3_status begin_scram(p3_sasl *s, p3_octets *response)
{
    const p3_sasl_identity *id = s->id;
    unsigned char raw[P3_NONCE];
    p3_scram_state *state = calloc(1, sizeof *state);
    if (state == NULL)
        return POP3_ERR_MEMORY;
    s->state = state;
    s->finish = finish_scram;
    pop3_status status = append_prepared(s, &state->user, id->user, false);
    if (status != POP3_OK)
        return status;
    if (state->user.len == 0) /* RFC 5802 §5.1 */
        return p3_sasl_fail(s, POP3_ERR_ARGUMENT, "SASLprep leaves nothing of the user's name");
    if (!p3_random(raw, sizeof raw))
        return p3_sasl_fail(s, POP3_ERR_NOT_OFFERED, "no random octets are available");
    if (!p3_base64_encode(&state->nonce, (const char *)raw, sizeof raw))
        return POP3_ERR_MEMORY;
    bool sha_1 = s->mechanism == P3_MECH_SCRAM_SHA_1 || s->mechanism == P3_MECH_SCRAM_SHA_1_PLUS;
    state->exchange = (p3_scram){
        .digest = sha_1 ? P3_SHA_1 : P3_SHA_256,
        .user = state->user.data,
        .authzid = id->authzid,
        .nonce = state->nonce.data,
        .flag = flag_of(s),
        .binding_name = id->binding_name,
        .binding = id->binding,
    };
    return p3_scram_first(&state->exchange, response);
}

/* The next slice of the computation. */
static pop3_status go_on(p3_sasl *s, p3_octets *response)
{
    p3_scram_state *state = s->state;
    return p3_scram_go_on(&state->exchange, response);
}

static pop3_status prove(p3_sasl *s, pop3_str challenge, p3_octets *response)
{
    p3_scram_state *state = s->state;
    p3_octets password = {0};
    pop3_status status = append_prepared(s, &password, s->id->secret, true);
    if (status == POP3_OK) {
        status = p3_scram_final(&state->exchange, challenge, password.data, response);
        if (status == POP3_ERR_AUTHENTICATION || status == POP3_ERR_REFUSED)
            p3_sasl_fail(s, status, state->exchange.why);
        s->go_on = go_on;
    }
    p3_octets_free(&password);
    return status;
}

static pop3_status verify(p3_sasl *s, pop3_str challenge)
{
    p3_scram_state *state = s->state;
    pop3_status status = p3_scram_verify(&state->exchange, challenge);
    if (status != POP3_OK)
        p3_sasl_fail(s, status, state->exchange.why);
    s->complete = status == POP3_OK;
    return status;
}

pop3_status p3_sasl_scram(p3_sasl *s, pop3_str challenge, p3_octets *response)
{
    switch (s->steps) {
    case 0:
        return challenge.len == 0
                   ? begin_scram(s, response)
                   : p3_sasl_fail(s, POP3_ERR_AUTHENTICATION,
                                  "the server sent a challenge where the mechanism has none");
    case 1:
        return prove(s, challenge, response);
    case 2:
        return verify(s, challenge);
    default:
        return p3_sasl_out_of_turn(s);
    }
}
