/* Header fields: found and decoded. */
#include <pop3/collect.h>

#include "support/fingerprint.h"
#include "support/rfc2047.h"

bool pop3_header_field(const char *header, size_t len, const char *name, pop3_str *value)
{
    size_t octets = 0;
    const char *at = p3_header_field(header, len, name, &octets);
    *value = (pop3_str){at, octets};
    return at != NULL;
}

pop3_collect_status pop3_header_decode(const char *value, size_t len, char **out)
{
    *out = p3_rfc2047_decode(value, len);
    return *out != NULL ? POP3_COLLECT_OK : POP3_COLLECT_SYSTEM;
}
