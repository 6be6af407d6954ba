/* The client's side of SASL (RFC 4422) for a login: challenges in, responses out, both in base64.
 * The files:
 *   sasl.c           the frame: which mechanisms there are, base64
 *   sasl_exchange.h  one exchange, for a mechanism
 *   sasl_simple.c    PLAIN, LOGIN, EXTERNAL, CRAM-MD5
 *   sasl_oauth.c     OAUTHBEARER, XOAUTH2
 *   sasl_scram.c     SCRAM; scram.c has its messages
 *   sasl_gsasl.c     DIGEST-MD5, GSSAPI, NTLM through GNU SASL; sasl_gsasl_none.c without it */
#ifndef P3_AUTH_SASL_H
#define P3_AUTH_SASL_H

#include "auth/sasl_exchange.h"

/* Whether this build has a SASL mechanism. */
bool p3_sasl_built(p3_mechanism m);

/* Begins an exchange. POP3_OK, POP3_ERR_MEMORY, or POP3_ERR_NOT_OFFERED with nothing allocated. */
pop3_status p3_sasl_new(p3_sasl **out, p3_mechanism m, const p3_sasl_identity *id);

/* Wipes and frees. NULL does nothing. */
void p3_sasl_free(p3_sasl *s);

/* The initial response of a mechanism in which the client speaks first, in base64; "=" for an empty
 * one. */
pop3_status p3_sasl_initial(p3_sasl *s, p3_octets *base64);

/* Whether a challenge has no content for the mechanism and only requests the client's next
 * response: an empty one, or any text if the mechanism has no challenges (PLAIN, LOGIN, EXTERNAL)
 * or only an error report (tokens). Servers write "+ go ahead" then. */
bool p3_sasl_is_prompt(const p3_sasl *s, pop3_str challenge);

/* Answers a challenge, both in base64. POP3_ERR_AUTHENTICATION also when it is not base64.
 * POP3_PENDING: call p3_sasl_go_on() until it returns something else; it then has the answer. */
pop3_status p3_sasl_answer(p3_sasl *s, pop3_str challenge, p3_octets *base64);
pop3_status p3_sasl_go_on(p3_sasl *s, p3_octets *base64);

#endif
