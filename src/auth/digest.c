/* Digests, HMAC, PBKDF2 and random octets, from OpenSSL. */
#include "auth/digest.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

static const EVP_MD *type_of(p3_digest d)
{
    switch (d) {
    case P3_SHA_1:
        return EVP_sha1();
    case P3_SHA_256:
        return EVP_sha256();
    default:
        return EVP_md5();
    }
}

/* OpenSSL's queue of errors is the application's too: none of ours stays there. */
static bool worked(bool ok)
{
    if (!ok)
        ERR_clear_error();
    return ok;
}

bool p3_have_digests(void)
{
    return true;
}

size_t p3_digest_size(p3_digest d)
{
    return (size_t)EVP_MD_get_size(type_of(d));
}

bool p3_digest_of(p3_digest d, pop3_str text, unsigned char *out)
{
    return worked(EVP_Digest(text.data, text.len, out, NULL, type_of(d), NULL) == 1);
}

bool p3_digest_hmac(p3_digest d, pop3_str key, pop3_str text, unsigned char *out)
{
    return worked(HMAC(type_of(d), key.data, (int)key.len, (const unsigned char *)text.data,
                       text.len, out, NULL) != NULL);
}

bool p3_digest_pbkdf2(p3_digest d, const char *password, pop3_str salt, uint32_t iterations,
                      unsigned char *out)
{
    return worked(PKCS5_PBKDF2_HMAC(password, (int)strlen(password),
                                    (const unsigned char *)salt.data, (int)salt.len,
                                    (int)iterations, type_of(d), (int)p3_digest_size(d), out) == 1);
}

bool p3_random(unsigned char *out, size_t n)
{
    return worked(RAND_bytes(out, (int)n) == 1);
}
