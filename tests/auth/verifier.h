/* The server's side of SCRAM (RFC 5802), for tests: written from the RFC, without anything of the
 * library's, and able to do what GNU SASL's server cannot: tls-server-end-point, and the flag `y`.
 */
#ifndef TESTS_AUTH_VERIFIER_H
#define TESTS_AUTH_VERIFIER_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>

/* An exchange. The first part is the caller's to set. */
typedef struct verifier {
    bool sha_256;
    bool plus; /* the mechanism's name had -PLUS */
    const char *password;
    int iterations;           /* 0: 4096 */
    const char *binding_name; /* the type it knows; NULL when it does no channel binding */
    unsigned char binding[EVP_MAX_MD_SIZE];
    size_t binding_len;

    char header[128]; /* the client's gs2-header */
    char said[2048];  /* AuthMessage, so far */
    char nonce[128];  /* both sides' */
} verifier;

/* The answer to client-first-message, in base64 both; static storage. NULL, with *error as RFC 5802
 * §7 words it, when there is none. */
const char *verifier_first(verifier *v, const char *base64, const char **error);

/* The same for client-final-message: the server's proof. */
const char *verifier_final(verifier *v, const char *base64, const char **error);

/* server-error in base64; static storage. */
const char *verifier_error(const char *error);

#endif
