/* Encrypts what is kept: AES-256-GCM by OpenSSL, with a key for each file and writing. */
#ifndef P3_TOKEN_SEAL_H
#define P3_TOKEN_SEAL_H

#include <stdbool.h>
#include <stddef.h>

/* Least octets of a key: they are random, not a password that people think of. */
#define P3_SEAL_KEY_LEAST ((size_t)32)

/* A key, which is the caller's. Its octets are NULL: nothing is encrypted. */
typedef struct p3_seal_key {
    const unsigned char *data;
    size_t len;
} p3_seal_key;

/* Encrypts text for a file of this name. Returns a new block with its length, NULL when OpenSSL
 * fails or memory is out. */
unsigned char *p3_seal(const p3_seal_key *key, const char *name, const char *text, size_t text_len,
                       size_t *len);

/* Whether a block is such. */
bool p3_seal_is(const unsigned char *data, size_t len);

/* Decrypts it into new text, with a NUL behind it; wipe it. NULL when the key or the name is not
 * the one it was encrypted with, or the block was changed. */
char *p3_unseal(const p3_seal_key *key, const char *name, const unsigned char *data, size_t len,
                size_t *text_len);

#endif
