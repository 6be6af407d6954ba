/* Digests in hexadecimal: by OpenSSL in digest.c; in a build without it, digest_none.c has none. */
#ifndef TESTSERVER_DIGEST_H
#define TESTSERVER_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

enum { DIGEST_MD5 = 33, DIGEST_SHA256 = 65 }; /* octets in hexadecimal, with a NUL */

/* MD5 of two strings, one behind the other. False where there is none. */
bool digest_md5(const char *first, const char *second, char out[DIGEST_MD5]);

/* SHA-256 of octets. False with errno. */
bool digest_sha256(const char *data, size_t len, char out[DIGEST_SHA256]);

#endif
