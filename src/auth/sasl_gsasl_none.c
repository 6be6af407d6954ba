/* Replaces sasl_gsasl.c in a build without GNU SASL. */
#include "auth/sasl_gsasl.h"

bool p3_gsasl_has(p3_mechanism m)
{
    (void)m;
    return false;
}

pop3_status p3_gsasl_prepare(p3_octets *out, const char *text)
{
    (void)out;
    (void)text;
    return POP3_ERR_NOT_OFFERED;
}

pop3_status p3_gsasl_begin(p3_sasl *s)
{
    (void)s;
    return POP3_ERR_NOT_OFFERED;
}
