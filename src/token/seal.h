/* Encrypts stored tokens: AES-256-GCM by OpenSSL, with a separate key for each file and write. */
#ifndef P3_TOKEN_SEAL_H
#define P3_TOKEN_SEAL_H

#include <stdbool.h>
#include <stddef.h>

/* Minimum octets of a key: they are random, not a password. */
#define P3_SEAL_KEY_LEAST ((size_t)32)

/* A key, which belongs to the caller. Its octets are NULL: no encryption. */
typedef struct p3_seal_key {
    const unsigned char *data;
    size_t len;
} p3_seal_key;

/* Encrypts text for a file of this name. Returns a new block and its length, NULL when OpenSSL
 * fails or when out of memory. */
unsigned char *p3_seal(const p3_seal_key *key, const char *name, const char *text, size_t text_len,
                       size_t *len);

/* Whether a block is encrypted. */
bool p3_seal_is(const unsigned char *data, size_t len);

/* Decrypts it to new text, with a NUL after it; wipe it. NULL when it was encrypted with another
 * key or name, or was changed. */
char *p3_unseal(const p3_seal_key *key, const char *name, const unsigned char *data, size_t len,
                size_t *text_len);

#endif
