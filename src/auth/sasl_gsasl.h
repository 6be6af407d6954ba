/* The use of GNU SASL, which is loaded at run time if it is installed. */
#ifndef P3_AUTH_SASL_GSASL_H
#define P3_AUTH_SASL_GSASL_H

#include "auth/sasl_exchange.h"

/* Whether it has a mechanism; and the beginning of an exchange: sets step, finish and state. */
bool p3_gsasl_has(p3_mechanism m);
pop3_status p3_gsasl_begin(p3_sasl *s);

/* SASLprep, for p3_add_prepared(). */
pop3_status p3_gsasl_prepare(p3_octets *out, const char *text);

#endif
