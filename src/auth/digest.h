/* Digests, HMAC and PBKDF2 for SASL, and random octets, from OpenSSL if the build has it. */
#ifndef P3_AUTH_DIGEST_H
#define P3_AUTH_DIGEST_H

#include <pop3/types.h>

/* Octets of the longest digest. */
#define P3_DIGEST_MOST 32

typedef enum p3_digest { P3_MD5, P3_SHA_1, P3_SHA_256 } p3_digest;

/* Whether this build has digests. */
bool p3_have_digests(void);

/* Octets of a digest. */
size_t p3_digest_size(p3_digest d);

/* Each writes p3_digest_size() octets; false when the digest is not available, like MD5 on systems
 * that forbid it. */

/* The digest of a text. */
bool p3_digest_of(p3_digest d, pop3_str text, unsigned char *out);

/* HMAC (RFC 2104). */
bool p3_digest_hmac(p3_digest d, pop3_str key, pop3_str text, unsigned char *out);

/* Hi() of RFC 5802 §2.2: PBKDF2 (RFC 8018 §5.2) with HMAC; the result is as long as the digest. The
 * server chooses the number of iterations, so they are done in slices, between which other
 * connections are served. */
typedef struct p3_stretch p3_stretch;

/* Iterations in a slice: a few milliseconds. */
#define P3_STRETCH_SLICE 8192

/* Begins. The password is not needed after this has returned. POP3_OK; POP3_ERR_MEMORY or
 * POP3_ERR_NOT_OFFERED, with nothing allocated. */
pop3_status p3_stretch_begin(p3_stretch **out, p3_digest d, const char *password, pop3_str salt,
                             uint32_t iterations);

/* Does a slice: POP3_PENDING while there are more; POP3_OK when p3_digest_size() octets have been
 * written; POP3_ERR_NOT_OFFERED. */
pop3_status p3_stretch_step(p3_stretch *s, unsigned char *out);

/* Wipes and frees. NULL does nothing. */
void p3_stretch_free(p3_stretch *s);

/* Writes n unpredictable octets; false when there are none. */
bool p3_random(unsigned char *out, size_t n);

#endif
