/* MD5 for CRAM-MD5, from OpenSSL where the build has it. */
#ifndef P3_AUTH_MD5_H
#define P3_AUTH_MD5_H

#include <pop3/types.h>

/* Characters of a digest in hexadecimal, without a terminator. */
#define P3_MD5_HEX 32

/* HMAC-MD5 of text in hexadecimal. POP3_OK, or POP3_ERR_NOT_OFFERED when MD5 is not to be had. */
pop3_status p3_hmac_md5(const char *key, pop3_str text, char out[P3_MD5_HEX]);

/* Whether there is MD5 in this build. */
bool p3_have_md5(void);

#endif
