/* Replaces digest.c in a build without OpenSSL. */
#include "auth/digest.h"

bool p3_have_digests(void)
{
    return false;
}

size_t p3_digest_size(p3_digest d)
{
    (void)d;
    return 0;
}

bool p3_digest_of(p3_digest d, pop3_str text, unsigned char *out)
{
    (void)d;
    (void)text;
    (void)out;
    return false;
}

bool p3_digest_hmac(p3_digest d, pop3_str key, pop3_str text, unsigned char *out)
{
    (void)d;
    (void)key;
    (void)text;
    (void)out;
    return false;
}

pop3_status p3_stretch_begin(p3_stretch **out, p3_digest d, const char *password, pop3_str salt,
                             uint32_t iterations)
{
    (void)d;
    (void)password;
    (void)salt;
    (void)iterations;
    *out = NULL;
    return POP3_ERR_NOT_OFFERED;
}

pop3_status p3_stretch_step(p3_stretch *s, unsigned char *out)
{
    (void)s;
    (void)out;
    return POP3_ERR_NOT_OFFERED;
}

void p3_stretch_free(p3_stretch *s)
{
    (void)s;
}

bool p3_random(unsigned char *out, size_t n)
{
    (void)out;
    (void)n;
    return false;
}
