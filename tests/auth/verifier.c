/* The server's side of SCRAM (RFC 5802), for tests. */
#define _POSIX_C_SOURCE 200809L
#include "verifier.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#define SALT "0123456789abcdef"

/* Both return static storage of their own. */

static const char *encoded(const void *data, size_t len)
{
    static char out[4096];
    EVP_EncodeBlock((unsigned char *)out, data, (int)len);
    return out;
}

static const char *decoded(const char *base64, size_t *len)
{
    static unsigned char out[4096];
    size_t n = strlen(base64);
    *len = 0;
    if (n == 0 || n % 4 != 0 || n > sizeof out ||
        EVP_DecodeBlock(out, (const unsigned char *)base64, (int)n) < 0)
        return NULL;
    *len = n / 4 * 3 - (base64[n - 1] == '=') - (base64[n - 2] == '=');
    out[*len] = '\0';
    return (char *)out;
}

static const EVP_MD *hash_of(const verifier *v)
{
    return v->sha_256 ? EVP_sha256() : EVP_sha1();
}

static int iterations_of(const verifier *v)
{
    return v->iterations != 0 ? v->iterations : 4096;
}

static size_t hash_size(const verifier *v)
{
    return v->sha_256 ? 32 : 20;
}

static void hmac(const verifier *v, const void *key, const char *text, unsigned char *out)
{
    HMAC(hash_of(v), key, (int)hash_size(v), (const unsigned char *)text, strlen(text), out, NULL);
}

/* Appends to what has been said. */
static void say(verifier *v, const char *text)
{
    size_t n = strlen(v->said);
    snprintf(v->said + n, sizeof v->said - n, "%s", text);
}

/* Judges the flag: §6. */
static const char *judge_flag(const verifier *v, const char *message)
{
    char bound[64];
    if (v->binding_name != NULL) {
        snprintf(bound, sizeof bound, "p=%s,", v->binding_name);
        if (v->plus && strncmp(message, "p=", 2) == 0 &&
            strncmp(message, bound, strlen(bound)) != 0)
            return "unsupported-channel-binding-type";
        if (strncmp(message, "y,", 2) == 0) /* it was there, and somebody took it away */
            return "server-does-support-channel-binding";
    }
    if (v->plus != (message[0] == 'p'))
        return "other-error";
    return v->plus || strncmp(message, "n,", 2) == 0 || strncmp(message, "y,", 2) == 0
               ? NULL
               : "invalid-encoding";
}

const char *verifier_first(verifier *v, const char *base64, const char **error)
{
    size_t len;
    const char *message = decoded(base64, &len);
    const char *bare = message == NULL ? NULL : strchr(message, ',');
    bare = bare == NULL ? NULL : strchr(bare + 1, ',');
    *error = bare == NULL ? "invalid-encoding" : judge_flag(v, message);
    if (*error != NULL)
        return NULL;
    bare++;
    const char *nonce = strstr(bare, ",r=");
    *error = "invalid-encoding";
    if (strncmp(bare, "n=", 2) != 0 || nonce == NULL)
        return NULL;
    snprintf(v->header, sizeof v->header, "%.*s", (int)(bare - message), message);
    snprintf(v->nonce, sizeof v->nonce, "%.80s+server", nonce + 3);
    v->said[0] = '\0';
    say(v, bare);
    char answer[400];
    char salt[64];
    snprintf(salt, sizeof salt, "%.60s", encoded(SALT, strlen(SALT)));
    snprintf(answer, sizeof answer, "r=%s,s=%s,i=%d", v->nonce, salt, iterations_of(v));
    say(v, ",");
    say(v, answer);
    *error = NULL;
    return encoded(answer, strlen(answer));
}

/* What c= must be: the header as it came, and our own idea of the binding. */
static const char *expected_beginning(const verifier *v)
{
    static char text[600];
    char input[256];
    size_t len = strlen(v->header);
    memcpy(input, v->header, len);
    if (v->plus) {
        memcpy(input + len, v->binding, v->binding_len);
        len += v->binding_len;
    }
    snprintf(text, sizeof text, "c=%.400s,r=%s", encoded(input, len), v->nonce);
    return text;
}

const char *verifier_final(verifier *v, const char *base64, const char **error)
{
    unsigned char salted[32], key[32], stored[32], signature[32], claimed[32];
    char message[2048];
    size_t len;
    const char *text = decoded(base64, &len);
    snprintf(message, sizeof message, "%s", text == NULL ? "" : text);
    char *proof = strstr(message, ",p=");
    *error = "invalid-encoding";
    if (proof == NULL)
        return NULL;
    *proof = '\0';
    *error = "channel-bindings-dont-match";
    if (strcmp(message, expected_beginning(v)) != 0)
        return NULL;
    say(v, ",");
    say(v, message);
    PKCS5_PBKDF2_HMAC(v->password, (int)strlen(v->password), (const unsigned char *)SALT,
                      (int)strlen(SALT), iterations_of(v), hash_of(v), (int)hash_size(v), salted);
    hmac(v, salted, "Client Key", key);
    EVP_Digest(key, hash_size(v), stored, NULL, hash_of(v), NULL);
    hmac(v, stored, v->said, signature);
    /* The server has StoredKey only: the key comes from the proof, and must hash to it (§3). */
    text = decoded(proof + 3, &len);
    *error = "invalid-proof";
    if (text == NULL || len != hash_size(v))
        return NULL;
    for (size_t i = 0; i < len; i++)
        key[i] = (unsigned char)text[i] ^ signature[i];
    EVP_Digest(key, len, claimed, NULL, hash_of(v), NULL);
    if (CRYPTO_memcmp(claimed, stored, len) != 0)
        return NULL;
    hmac(v, salted, "Server Key", key);
    hmac(v, key, v->said, signature);
    snprintf(message, sizeof message, "v=%.60s", encoded(signature, hash_size(v)));
    *error = NULL;
    return encoded(message, strlen(message));
}

const char *verifier_error(const char *error)
{
    char message[100];
    snprintf(message, sizeof message, "e=%s", error);
    return encoded(message, strlen(message));
}
