/* Replaces apop.c in a build without OpenSSL, which provides MD5. */
#include "auth/apop.h"

pop3_status p3_apop_digest(pop3_str timestamp, const char *secret, char out[P3_APOP_DIGEST])
{
    (void)timestamp;
    (void)secret;
    (void)out;
    return POP3_ERR_NOT_OFFERED;
}
