/* Names in the forms of SASL's mechanisms. */
#ifndef P3_AUTH_SASLNAME_H
#define P3_AUTH_SASLNAME_H

#include <pop3/types.h>

#include "core/octets.h"

/* Appends a saslname: "," and "=" are written as =2C and =3D (RFC 5801 §4). False when out of
 * memory. */
bool p3_add_saslname(p3_octets *out, const char *name);

/* Appends a name or password prepared by SASLprep (RFC 4013, as a query). POP3_OK;
 * POP3_ERR_ARGUMENT for characters that are not allowed; POP3_ERR_NOT_OFFERED for anything but
 * printable ASCII without GNU SASL; POP3_ERR_MEMORY. */
pop3_status p3_add_prepared(p3_octets *out, const char *text);

#endif
