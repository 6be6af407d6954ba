/* MD5 for CRAM-MD5, from OpenSSL. */
#include "auth/md5.h"

#include "core/text.h"
#include "core/wipe.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

pop3_status p3_hmac_md5(const char *key, pop3_str text, char out[P3_MD5_HEX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (HMAC(EVP_md5(), key, (int)strlen(key), (const unsigned char *)text.data, text.len, digest,
             &len) == NULL ||
        len * 2 != P3_MD5_HEX) {
        ERR_clear_error();
        return POP3_ERR_NOT_OFFERED;
    }
    p3_put_hex(out, digest, P3_MD5_HEX / 2);
    p3_wipe(digest, sizeof digest);
    return POP3_OK;
}

bool p3_have_md5(void)
{
    return true;
}
