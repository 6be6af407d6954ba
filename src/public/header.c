/* Header fields: found and decoded. */
#include <pop3/collect.h>

#include <string.h>

#include "support/fingerprint.h"
#include "support/rfc2047.h"

/* The octets before the empty line that ends a header. */
static size_t header_length(const char *header, size_t len)
{
    const char *end = header + len;
    const char *at = header;
    while (at < end) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        size_t line = lf != NULL ? (size_t)(lf - at) : (size_t)(end - at);
        if (line == 0 || (line == 1 && at[0] == '\r'))
            break;
        at += lf != NULL ? line + 1 : line;
    }
    return (size_t)(at - header);
}

bool pop3_header_field(const char *header, size_t len, const char *name, pop3_str *value)
{
    size_t octets = 0;
    const char *at = p3_header_field(header, header_length(header, len), name, &octets);
    *value = (pop3_str){at, octets};
    return at != NULL;
}

pop3_collect_status pop3_header_decode(const char *value, size_t len, char **out)
{
    *out = p3_rfc2047_decode(value, len);
    return *out != NULL ? POP3_COLLECT_OK : POP3_COLLECT_SYSTEM;
}
