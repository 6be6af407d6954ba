/* Digests and what SASL makes of them, and random octets, from OpenSSL where the build has it. */
#ifndef P3_AUTH_DIGEST_H
#define P3_AUTH_DIGEST_H

#include <pop3/types.h>

/* Octets of the longest digest. */
#define P3_DIGEST_MOST 32

typedef enum p3_digest { P3_MD5, P3_SHA_1, P3_SHA_256 } p3_digest;

/* Whether there are digests in this build. */
bool p3_have_digests(void);

/* Octets of a digest. */
size_t p3_digest_size(p3_digest d);

/* Each writes p3_digest_size() octets; false when the digest is not to be had, as MD5 is on systems
 * that forbid it. */

/* The digest of a text. */
bool p3_digest_of(p3_digest d, pop3_str text, unsigned char *out);

/* HMAC (RFC 2104). */
bool p3_digest_hmac(p3_digest d, pop3_str key, pop3_str text, unsigned char *out);

/* Hi() of RFC 5802 §2.2 under way: PBKDF2 (RFC 8018 §5.2) with HMAC, its result as long as the
 * digest. The server says how often it iterates, so that it goes in slices: other connections are
 * served in between. */
typedef struct p3_stretch p3_stretch;

/* Iterations of a slice: a few milliseconds. */
#define P3_STRETCH_SLICE 8192

/* Begins. The password is not needed any more when this has returned. POP3_OK; POP3_ERR_MEMORY, or
 * POP3_ERR_NOT_OFFERED, with nothing allocated. */
pop3_status p3_stretch_begin(p3_stretch **out, p3_digest d, const char *password, pop3_str salt,
                             uint32_t iterations);

/* Works off a slice: POP3_PENDING while there are more; POP3_OK, and p3_digest_size() octets are
 * written; POP3_ERR_NOT_OFFERED. */
pop3_status p3_stretch_step(p3_stretch *s, unsigned char *out);

/* Wipes and frees. NULL does nothing. */
void p3_stretch_free(p3_stretch *s);

/* Writes n octets that nobody can guess; false when there are none to be had. */
bool p3_random(unsigned char *out, size_t n);

#endif
