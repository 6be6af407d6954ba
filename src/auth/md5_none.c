/* In place of md5.c in a build without OpenSSL. */
#include "auth/md5.h"

pop3_status p3_hmac_md5(const char *key, pop3_str text, char out[P3_MD5_HEX])
{
    (void)key;
    (void)text;
    (void)out;
    return POP3_ERR_NOT_OFFERED;
}

bool p3_have_md5(void)
{
    return false;
}
