/* In place of digest.c in a build without OpenSSL. */
#include "digest.h"

#include <errno.h>

bool digest_md5(const char *first, const char *second, char out[DIGEST_MD5])
{
    (void)first;
    (void)second;
    (void)out;
    return false;
}

bool digest_sha256(const char *data, size_t len, char out[DIGEST_SHA256])
{
    (void)data;
    (void)len;
    (void)out;
    errno = ENOSYS;
    return false;
}
