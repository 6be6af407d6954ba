/* SCRAM's SaltedPassword (RFC 5802 §3), reckoned here so that the password itself never gets into
 * memory that nobody wipes. */
#ifndef P3_AUTH_SCRAM_KEY_H
#define P3_AUTH_SCRAM_KEY_H

#include <pop3/types.h>

/* Characters of the longest key in hexadecimal, with a terminator. */
#define P3_SCRAM_KEY 65

/* Bounds on the server's iteration count: below RFC 5802 §5.1's least the exchange could be tried
 * out at leisure by who overheard it, above a server could keep the client busy for minutes. */
#define P3_SCRAM_LEAST_ITERATIONS 4096
#define P3_SCRAM_MOST_ITERATIONS  10000000

/* Writes the key in hexadecimal, terminated. `salt` is in base64. POP3_OK;
 * POP3_ERR_AUTHENTICATION for a salt or count that cannot be accepted; POP3_ERR_NOT_OFFERED. */
pop3_status p3_scram_key(bool sha256, const char *password, const char *salt,
                         const char *iterations, char out[P3_SCRAM_KEY]);

#endif
