/* Encrypts stored tokens: AES-256-GCM by OpenSSL.
 *
 * A block is MAGIC, salt, nonce, tag, ciphertext. The cipher's key is HMAC-SHA256 of the salt under
 * the user's key, so that each write has its own key; the file's name is authenticated, so that one
 * account's file cannot replace another's. */
#include "token/seal.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "system/erase.h"

#define P3_MAGIC      "P3TOKEN1"
#define P3_MAGIC_SIZE (sizeof P3_MAGIC - 1)
#define P3_SALT       16
#define P3_NONCE      12
#define P3_TAG        16
#define P3_HEAD       (P3_MAGIC_SIZE + P3_SALT + P3_NONCE + P3_TAG)

static bool derive(const p3_seal_key *key, const unsigned char *salt, unsigned char out[static 32])
{
    unsigned int len = 0;
    return key->len <= INT_MAX &&
           HMAC(EVP_sha256(), key->data, (int)key->len, salt, P3_SALT, out, &len) != NULL &&
           len == 32;
}

/* Runs the cipher in one direction. The tag is written or, when decrypting, compared. */
static bool run_cipher(bool encrypts, const unsigned char key[static 32],
                       const unsigned char *nonce, const char *name, const unsigned char *in,
                       size_t len, unsigned char *out, unsigned char *tag)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n = 0;
    int last = 0;
    size_t name_len = strlen(name);
    bool ok = c != NULL && len <= INT_MAX / 2 && name_len <= INT_MAX / 2 &&
              EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce, encrypts) == 1 &&
              EVP_CipherUpdate(c, NULL, &n, (const unsigned char *)name, (int)name_len) == 1 &&
              EVP_CipherUpdate(c, out, &n, in, (int)len) == 1;
    if (ok && !encrypts)
        ok = EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, P3_TAG, tag) == 1;
    ok = ok && EVP_CipherFinal_ex(c, out + n, &last) == 1 && (size_t)n + (size_t)last == len;
    if (ok && encrypts)
        ok = EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, P3_TAG, tag) == 1;
    EVP_CIPHER_CTX_free(c);
    return ok;
}

unsigned char *p3_seal(const p3_seal_key *key, const char *name, const char *text, size_t text_len,
                       size_t *len)
{
    unsigned char own[32];
    unsigned char *out = malloc(P3_HEAD + text_len + 1);
    if (out == NULL)
        return NULL;
    unsigned char *salt = out + P3_MAGIC_SIZE;
    unsigned char *nonce = salt + P3_SALT;
    unsigned char *tag = nonce + P3_NONCE;
    memcpy(out, P3_MAGIC, P3_MAGIC_SIZE);
    bool ok = RAND_bytes(salt, P3_SALT + P3_NONCE) == 1 && derive(key, salt, own) &&
              run_cipher(true, own, nonce, name, (const unsigned char *)text, text_len,
                         out + P3_HEAD, tag);
    p3_erase(own, sizeof own);
    *len = P3_HEAD + text_len;
    if (ok)
        return out;
    free(out);
    return NULL;
}

bool p3_seal_is(const unsigned char *data, size_t len)
{
    return len >= P3_HEAD && memcmp(data, P3_MAGIC, P3_MAGIC_SIZE) == 0;
}

char *p3_unseal(const p3_seal_key *key, const char *name, const unsigned char *data, size_t len,
                size_t *text_len)
{
    unsigned char own[32];
    unsigned char tag[P3_TAG];
    if (!p3_seal_is(data, len))
        return NULL;
    const unsigned char *salt = data + P3_MAGIC_SIZE;
    const unsigned char *nonce = salt + P3_SALT;
    *text_len = len - P3_HEAD;
    char *out = malloc(*text_len + 1);
    memcpy(tag, nonce + P3_NONCE, P3_TAG);
    bool ok =
        out != NULL && derive(key, salt, own) &&
        run_cipher(false, own, nonce, name, data + P3_HEAD, *text_len, (unsigned char *)out, tag);
    p3_erase(own, sizeof own);
    if (ok) {
        out[*text_len] = '\0';
        return out;
    }
    if (out != NULL)
        p3_erase(out, *text_len);
    free(out);
    return NULL;
}
