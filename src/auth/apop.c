/* The digest of APOP (RFC 1939 §7): MD5 of the greeting's timestamp and the shared secret.
 *
 * It uses OpenSSL's plain functions, because those of EVP first initialize the whole library, which
 * takes 2 MB of memory that a session without TLS does not need. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "auth/apop.h"

#include "core/text.h"
#include "core/wipe.h"

#include <openssl/md5.h>
#include <string.h>

pop3_status p3_apop_digest(pop3_str timestamp, const char *secret, char out[P3_APOP_DIGEST])
{
    unsigned char digest[MD5_DIGEST_LENGTH];
    MD5_CTX md;
    bool ok = MD5_Init(&md) == 1 && MD5_Update(&md, timestamp.data, timestamp.len) == 1 &&
              MD5_Update(&md, secret, strlen(secret)) == 1 && MD5_Final(digest, &md) == 1;
    p3_wipe(&md, sizeof md);
    if (!ok)
        return POP3_ERR_NOT_OFFERED;
    p3_put_hex(out, digest, sizeof digest);
    p3_wipe(digest, sizeof digest);
    return POP3_OK;
}
