/* The digest of APOP (RFC 1939 §7): MD5 of the greeting's timestamp and the shared secret. */
#ifndef P3_AUTH_APOP_H
#define P3_AUTH_APOP_H

#include <pop3/types.h>

/* Characters of a digest, without a terminator. */
#define P3_APOP_DIGEST 32

/* Writes the digest in hexadecimal. POP3_OK; POP3_ERR_NOT_OFFERED when MD5 is not available (a
 * build without OpenSSL, or a system that forbids MD5); POP3_ERR_MEMORY. */
pop3_status p3_apop_digest(pop3_str timestamp, const char *secret, char out[P3_APOP_DIGEST]);

#endif
