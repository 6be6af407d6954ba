/* Digests by OpenSSL. */
#include "digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

static void in_hexadecimal(const unsigned char *sum, unsigned len, char *out)
{
    for (unsigned i = 0; i < len; i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", sum[i]);
    }
}

bool digest_md5(const char *first, const char *second, char out[DIGEST_MD5])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool ok = md != NULL && EVP_DigestInit_ex(md, EVP_md5(), NULL) == 1 &&
              EVP_DigestUpdate(md, first, strlen(first)) == 1 &&
              EVP_DigestUpdate(md, second, strlen(second)) == 1 &&
              EVP_DigestFinal_ex(md, sum, &len) == 1 && 2 * len + 1 == DIGEST_MD5;
    EVP_MD_CTX_free(md);
    if (ok) {
        in_hexadecimal(sum, len, out);
    }
    return ok;
}

bool digest_sha256(const char *data, size_t len, char out[DIGEST_SHA256])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned sum_len = 0;
    if (EVP_Digest(data, len, sum, &sum_len, EVP_sha256(), NULL) != 1 ||
        2 * sum_len + 1 != DIGEST_SHA256) {
        errno = ENOMEM;
        return false;
    }
    in_hexadecimal(sum, sum_len, out);
    return true;
}
