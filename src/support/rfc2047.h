/* Header fields as people read them: encoded words decoded (RFC 2047), as clean UTF-8. */
#ifndef P3_SUPPORT_RFC2047_H
#define P3_SUPPORT_RFC2047_H

#include <stddef.h>

/* Decodes a field's value: encoded words in any character set that iconv knows, continuation lines
 * joined, raw octets that are not UTF-8 taken as Windows-1252. The result has no control
 * characters, so that it can be shown on a terminal. free() it; NULL when out of memory. */
char *p3_rfc2047_decode(const char *value, size_t len);

#endif
