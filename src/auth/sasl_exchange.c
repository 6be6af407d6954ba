/* Failures of an exchange. */
#include "auth/sasl_exchange.h"

#include "core/text.h"

pop3_status p3_sasl_fail(p3_sasl *s, pop3_status status, const char *why)
{
    p3_text text = p3_text_begin(s->complaint, sizeof s->complaint);
    p3_text_add(&text, why);
    return status;
}

pop3_status p3_sasl_out_of_turn(p3_sasl *s)
{
    return p3_sasl_fail(s, POP3_ERR_AUTHENTICATION,
                        "the server sent a challenge that the mechanism does not have");
}
