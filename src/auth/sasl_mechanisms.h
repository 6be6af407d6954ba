/* The steps of our own mechanisms; sasl.h lists their files. */
#ifndef P3_AUTH_SASL_MECHANISMS_H
#define P3_AUTH_SASL_MECHANISMS_H

#include "auth/sasl_exchange.h"

pop3_status p3_sasl_plain(p3_sasl *s, pop3_str challenge, p3_octets *response);
pop3_status p3_sasl_login(p3_sasl *s, pop3_str challenge, p3_octets *response);
pop3_status p3_sasl_external(p3_sasl *s, pop3_str challenge, p3_octets *response);
pop3_status p3_sasl_cram_md5(p3_sasl *s, pop3_str challenge, p3_octets *response);
pop3_status p3_sasl_oauthbearer(p3_sasl *s, pop3_str challenge, p3_octets *response);
pop3_status p3_sasl_xoauth2(p3_sasl *s, pop3_str challenge, p3_octets *response);
pop3_status p3_sasl_scram(p3_sasl *s, pop3_str challenge, p3_octets *response);

#endif
