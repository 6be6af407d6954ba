/* Digests, HMAC, PBKDF2 and random octets, from OpenSSL. */
#include "auth/digest.h"

#include "core/text.h"
#include "core/wipe.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
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

/* OpenSSL's error queue belongs to the application: we leave no errors in it. */
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

/* ---- Hi() ---- */

/* Octets of a block of SHA-1, SHA-256 and MD5. */
#define P3_BLOCK 64

/* OpenSSL's own PBKDF2 cannot be interrupted. The two keyed digests of HMAC are copied for each
 * iteration, as OpenSSL does. */
struct p3_stretch {
    size_t size;
    EVP_MD_CTX *inner;
    EVP_MD_CTX *outer;
    EVP_MD_CTX *work;
    uint32_t left;                       /* remaining iterations */
    unsigned char last[P3_DIGEST_MOST];  /* result of the last iteration */
    unsigned char total[P3_DIGEST_MOST]; /* exclusive or of all results */
};

/* Hashes the key, each octet of its block combined with `pad`. */
static bool take_key(EVP_MD_CTX *ctx, const EVP_MD *type, const unsigned char *key,
                     unsigned char pad)
{
    unsigned char block[P3_BLOCK];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = key[i] ^ pad;
    bool ok =
        EVP_DigestInit_ex(ctx, type, NULL) == 1 && EVP_DigestUpdate(ctx, block, sizeof block) == 1;
    p3_wipe(block, sizeof block);
    return ok;
}

/* HMAC of two texts, into `last`. */
static bool hmac(p3_stretch *s, const void *text, size_t len, const void *more, size_t more_len)
{
    return EVP_MD_CTX_copy_ex(s->work, s->inner) == 1 &&
           EVP_DigestUpdate(s->work, text, len) == 1 &&
           EVP_DigestUpdate(s->work, more, more_len) == 1 &&
           EVP_DigestFinal_ex(s->work, s->last, NULL) == 1 &&
           EVP_MD_CTX_copy_ex(s->work, s->outer) == 1 &&
           EVP_DigestUpdate(s->work, s->last, s->size) == 1 &&
           EVP_DigestFinal_ex(s->work, s->last, NULL) == 1;
}

static void add_last(p3_stretch *s)
{
    for (size_t i = 0; i < s->size; i++)
        s->total[i] ^= s->last[i];
    s->left--;
}

pop3_status p3_stretch_begin(p3_stretch **out, p3_digest d, const char *password, pop3_str salt,
                             uint32_t iterations)
{
    static const unsigned char first_block[4] = {0, 0, 0, 1};
    unsigned char key[P3_BLOCK] = {0};
    pop3_str text = p3_span(password, strlen(password));
    pop3_status status = POP3_ERR_MEMORY;
    p3_stretch *s = calloc(1, sizeof *s);
    *out = NULL;
    if (s == NULL)
        return status;
    s->size = p3_digest_size(d);
    s->left = iterations;
    s->inner = EVP_MD_CTX_new();
    s->outer = EVP_MD_CTX_new();
    s->work = EVP_MD_CTX_new();
    if (s->inner == NULL || s->outer == NULL || s->work == NULL)
        goto failed;
    status = POP3_ERR_NOT_OFFERED;
    bool ok = iterations > 0;
    if (text.len <= sizeof key)
        memcpy(key, password, text.len);
    else
        ok = ok && p3_digest_of(d, text, key);
    ok = ok && take_key(s->inner, type_of(d), key, 0x36) &&
         take_key(s->outer, type_of(d), key, 0x5C) &&
         hmac(s, salt.data, salt.len, first_block, sizeof first_block);
    p3_wipe(key, sizeof key);
    if (!worked(ok))
        goto failed;
    add_last(s);
    *out = s;
    return POP3_OK;
failed:
    p3_stretch_free(s);
    return status;
}

pop3_status p3_stretch_step(p3_stretch *s, unsigned char *out)
{
    for (uint32_t i = 0; i < P3_STRETCH_SLICE && s->left > 0; i++) {
        if (!worked(hmac(s, s->last, s->size, "", 0)))
            return POP3_ERR_NOT_OFFERED;
        add_last(s);
    }
    if (s->left > 0)
        return POP3_PENDING;
    memcpy(out, s->total, s->size);
    return POP3_OK;
}

void p3_stretch_free(p3_stretch *s)
{
    if (s == NULL)
        return;
    EVP_MD_CTX_free(s->inner);
    EVP_MD_CTX_free(s->outer);
    EVP_MD_CTX_free(s->work);
    p3_wipe_free(s, sizeof *s);
}

bool p3_random(unsigned char *out, size_t n)
{
    return worked(RAND_bytes(out, (int)n) == 1);
}
