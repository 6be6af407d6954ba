/* Base64 (RFC 4648 §4), as SASL sends it: with padding, without line breaks. */
#ifndef P3_CORE_BASE64_H
#define P3_CORE_BASE64_H

#include "core/octets.h"

/* Appends data in base64. False when out of memory. */
bool p3_base64_encode(p3_octets *out, const char *data, size_t len);

/* Appends the octets that text stands for. POP3_OK; POP3_ERR_PROTOCOL when it is not base64: a
 * character of another alphabet, a length that is no multiple of four, padding anywhere but at the
 * end; POP3_ERR_MEMORY. */
pop3_status p3_base64_decode(p3_octets *out, pop3_str text);

#endif
