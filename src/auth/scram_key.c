/* SCRAM's SaltedPassword (RFC 5802 §3): PBKDF2 with the mechanism's hash, from OpenSSL. */
#include "auth/scram_key.h"

#include "core/base64.h"
#include "core/text.h"
#include "core/values.h"
#include "core/wipe.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

static bool read_count(const char *text, int *count)
{
    pop3_str s = p3_span(text, strlen(text));
    uint64_t value;
    if (!p3_take_number(&s, &value) || s.len > 0)
        return false;
    if (value < P3_SCRAM_LEAST_ITERATIONS || value > P3_SCRAM_MOST_ITERATIONS)
        return false;
    *count = (int)value;
    return true;
}

pop3_status p3_scram_key(bool sha256, const char *password, const char *salt,
                         const char *iterations, char out[P3_SCRAM_KEY])
{
    unsigned char key[32];
    int len = sha256 ? 32 : 20;
    int count;
    p3_octets raw = {0};
    pop3_status status = POP3_ERR_AUTHENTICATION;
    if (!read_count(iterations, &count))
        return status;
    status = p3_base64_decode(&raw, p3_span(salt, strlen(salt)));
    if (status == POP3_ERR_PROTOCOL || (status == POP3_OK && raw.len == 0))
        status = POP3_ERR_AUTHENTICATION;
    if (status != POP3_OK)
        goto out;
    if (PKCS5_PBKDF2_HMAC(password, (int)strlen(password), (const unsigned char *)raw.data,
                          (int)raw.len, count, sha256 ? EVP_sha256() : EVP_sha1(), len, key) != 1) {
        ERR_clear_error();
        status = POP3_ERR_NOT_OFFERED;
        goto out;
    }
    p3_put_hex(out, key, (size_t)len);
    out[2 * len] = '\0';
    p3_wipe(key, sizeof key);
out:
    p3_octets_free(&raw);
    return status;
}
