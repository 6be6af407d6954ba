/* One AUTH command and its challenges (RFC 5034). */
#include "client/exchange.h"

#include "client/refusal.h"
#include "core/text.h"

#include <string.h>

/* RFC 2449 §4: octets of a command line, including its end. */
#define P3_COMMAND_LINE 255

void p3_exchange_free(p3_exchange *x)
{
    p3_sasl_free(x->sasl);
    x->sasl = NULL;
    p3_octets_free(&x->initial);
}

const char *p3_exchange_complaint(const p3_exchange *x)
{
    return x->sasl != NULL ? x->sasl->complaint : "";
}

/* Creates the mechanism's side again. */
static pop3_status make_sasl(p3_exchange *x, p3_mechanism m)
{
    p3_sasl_free(x->sasl);
    x->sasl = NULL;
    x->verdict = POP3_OK;
    x->reckons = x->challenged = x->initial_sent = false;
    return p3_sasl_new(&x->sasl, m, &x->who);
}

/* Whether the initial response is part of the command: RFC 5034 §4 permits that only if the line is
 * not too long. */
static bool fits(const p3_exchange *x, p3_mechanism m, pop3_initial_response allowed)
{
    size_t line = strlen("AUTH  \r\n") + strlen(p3_mechanism_about(m)->name) + x->initial.len;
    return allowed == POP3_INITIAL_RESPONSE_ALWAYS ||
           (allowed == POP3_INITIAL_RESPONSE_AUTO && line <= P3_COMMAND_LINE);
}

pop3_status p3_exchange_begin(p3_exchange *x, p3_mechanism m, const p3_sasl_identity *who,
                              const char *secret, bool in_line, pop3_initial_response allowed,
                              pop3_command *command)
{
    const p3_mechanism_info *about = p3_mechanism_about(m);
    x->who = *who;
    x->who.secret = secret;
    command->text = p3_span(about->name, strlen(about->name));
    p3_octets_free(&x->initial);
    pop3_status status = make_sasl(x, m);
    if (status != POP3_OK || !p3_mechanism_is(about, P3_IS_CLIENT_FIRST) || !in_line)
        return status;
    status = p3_sasl_initial(x->sasl, &x->initial);
    if (status != POP3_OK)
        return status;
    if (!fits(x, m, allowed))
        return make_sasl(x, m); /* so that it can answer the empty challenge */
    x->initial_sent = true;
    command->initial = p3_span(x->initial.data, x->initial.len);
    return POP3_OK;
}

/* Cancels the exchange with "*". If the server violated the protocol or could not prove itself,
 * nothing it sends can be trusted: the connection ends. Otherwise its -ERR is awaited. */
static pop3_status cancel(p3_exchange *x, pop3_engine *engine, pop3_status verdict)
{
    x->verdict = verdict;
    pop3_status status = pop3_engine_cancel_auth(engine);
    bool wait =
        status == POP3_OK && verdict != POP3_ERR_AUTHENTICATION && verdict != POP3_ERR_MEMORY;
    return wait ? POP3_OK : verdict;
}

/* Sends the mechanism's answer, and frees it; or cancels. */
static pop3_status respond(p3_exchange *x, pop3_engine *engine, pop3_status status,
                           p3_octets *base64)
{
    x->reckons = status == POP3_PENDING;
    if (status == POP3_ERR_REFUSED)
        x->verdict = status;
    if (status == POP3_OK || status == POP3_ERR_REFUSED)
        status = pop3_engine_respond(
            engine, base64->data == NULL ? p3_span("", 0) : p3_span(base64->data, base64->len));
    else if (status == POP3_PENDING)
        status = POP3_OK;
    else
        status = cancel(x, engine, status);
    p3_octets_free(base64);
    return status;
}

/* A server that received AUTH but not the initial response asks for it: it is sent again, once. */
static bool is_asked_again(const p3_exchange *x, pop3_str challenge)
{
    return x->initial_sent && !x->challenged && x->verdict == POP3_OK &&
           p3_sasl_is_prompt(x->sasl, challenge);
}

pop3_status p3_exchange_challenge(p3_exchange *x, pop3_engine *engine, pop3_str challenge)
{
    if (is_asked_again(x, challenge)) {
        x->two_lines = true;
        pop3_status status = make_sasl(x, x->sasl->mechanism);
        if (status != POP3_OK)
            return status;
    }
    x->challenged = true;
    if (x->verdict !=
        POP3_OK) /* it reported a failure, or was told of one, and continues nevertheless */
        return cancel(x, engine, POP3_ERR_AUTHENTICATION);
    p3_octets base64 = {0};
    pop3_status status = p3_sasl_answer(x->sasl, challenge, &base64);
    return respond(x, engine, status, &base64);
}

pop3_status p3_exchange_reckon(p3_exchange *x, pop3_engine *engine)
{
    p3_octets base64 = {0};
    pop3_status status = p3_sasl_go_on(x->sasl, &base64);
    return respond(x, engine, status, &base64);
}

/* Whether the refusal may be about the form of the command instead of the credentials: some servers
 * require the response on a line of its own, whatever its length. */
static bool may_be_of_the_form(const p3_exchange *x, const pop3_result *result)
{
    return x->initial_sent && !x->challenged && p3_refusal_is_vague(&result->reply);
}

p3_exchange_end p3_exchange_judge(p3_exchange *x, const pop3_result *result, bool automatic)
{
    bool taken = result->status == POP3_OK;
    if (x->verdict != POP3_OK && x->verdict != POP3_ERR_REFUSED)
        return taken ? P3_EXCHANGE_BOGUS : P3_EXCHANGE_GIVEN_UP;
    if (result->status == POP3_ERR_REFUSED) {
        x->two_lines = automatic && may_be_of_the_form(x, result);
        return x->two_lines ? P3_EXCHANGE_AGAIN : P3_EXCHANGE_REFUSED;
    }
    if (!taken)
        return P3_EXCHANGE_FAILED;
    bool unproven = p3_mechanism_is(p3_mechanism_about(x->sasl->mechanism), P3_IS_PROVING) &&
                    !x->sasl->complete;
    return unproven ? P3_EXCHANGE_UNPROVEN : P3_EXCHANGE_TAKEN;
}

/* By RFC 5802 §7, or by the text that Cyrus uses for protocol errors, but not for wrong passwords.
 */
bool p3_exchange_binding_was_refused(const p3_exchange *x, const pop3_result *result)
{
    static const char *const words[] = {"unsupported-channel-binding-type",
                                        "channel-bindings-dont-match",
                                        "channel-binding-not-supported"};
    if (x->sasl == NULL || !p3_mechanism_is(p3_mechanism_about(x->sasl->mechanism), P3_IS_BOUND))
        return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(x->sasl->complaint, words[i]) == 0)
            return true;
    }
    return x->sasl->steps <= 1 || p3_refusal_has(&result->reply, "bad protocol");
}
