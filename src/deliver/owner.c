/* The owner of a file beside a mailbox. */
#define OPENSSL_SUPPRESS_DEPRECATED /* the plain functions: see fingerprint.c */
#include "deliver/owner.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

p3_owner p3_owner_of(const char *state, const char *account_key)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    p3_owner out;
    SHA256_CTX sha;
    (void)SHA256_Init(&sha); /* cannot fail, like the others */
    (void)SHA256_Update(&sha, state, strlen(state) + 1);
    (void)SHA256_Update(&sha, account_key, strlen(account_key));
    (void)SHA256_Final(digest, &sha);
    for (size_t i = 0; i < sizeof out.mark / 2; i++)
        snprintf(out.mark + 2 * i, 3, "%02x", digest[i]);
    return out;
}
