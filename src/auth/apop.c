/* The digest of APOP (RFC 1939 §7): MD5 of the greeting's timestamp and the shared secret. */
#include "auth/apop.h"

#include "core/wipe.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

pop3_status p3_apop_digest(pop3_str timestamp, const char *secret, char out[P3_APOP_DIGEST])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    if (md == NULL)
        return POP3_ERR_MEMORY;
    bool ok = EVP_DigestInit_ex(md, EVP_md5(), NULL) == 1 &&
              EVP_DigestUpdate(md, timestamp.data, timestamp.len) == 1 &&
              EVP_DigestUpdate(md, secret, strlen(secret)) == 1 &&
              EVP_DigestFinal_ex(md, digest, &len) == 1 && len * 2 == P3_APOP_DIGEST;
    EVP_MD_CTX_free(md);
    if (!ok) {
        ERR_clear_error();
        return POP3_ERR_NOT_OFFERED;
    }
    for (unsigned i = 0; i < len; i++) {
        out[2 * i] = hex[digest[i] >> 4];
        out[2 * i + 1] = hex[digest[i] & 15];
    }
    p3_wipe(digest, sizeof digest);
    return POP3_OK;
}
