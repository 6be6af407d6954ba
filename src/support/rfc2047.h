/* Header fields for display: decodes encoded words (RFC 2047) to valid UTF-8. */
#ifndef P3_SUPPORT_RFC2047_H
#define P3_SUPPORT_RFC2047_H

#include <stddef.h>

/* Decodes a field's value: encoded words in any character set that iconv supports; joins
 * continuation lines; octets that are not UTF-8 are interpreted as Windows-1252. The result has no
 * control characters. free() it; NULL when out of memory. */
char *p3_rfc2047_decode(const char *value, size_t len);

#endif
