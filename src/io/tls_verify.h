/* Verifies a server's certificate: its chain, revocation lists, pins of its key, and the caller's
 * own decision. */
#ifndef P3_IO_TLS_VERIFY_H
#define P3_IO_TLS_VERIFY_H

#include <pop3/tls.h>

#include <openssl/ssl.h>

/* Octets of a pin: a SHA-256. */
#define P3_PIN 32
/* Most pins. */
#define P3_PINS 16
/* Characters of a pin in curl's form, with a terminator. */
#define P3_PIN_TEXT (8 + 44 + 1)

/* Which certificates a context accepts. */
typedef struct p3_tls_policy {
    unsigned char pins[P3_PINS][P3_PIN];
    size_t pin_count;
    bool pin_alone; /* with a pinned key the chain need not be valid */
    pop3_verify_fn verify;
    void *verify_ctx;
} p3_tls_policy;

/* The subject of a verification: each SSL's app data. */
typedef struct p3_tls_peer {
    const char *name;          /* the name or address that is verified */
    struct p3_findings *found; /* while a chain is being verified */
} p3_tls_peer;

/* Reads pins. False when the text is not a list of pins. */
bool p3_tls_read_pins(p3_tls_policy *policy, const char *text);

/* Writes the pin of a certificate's key as "sha256//...". "" when that fails. */
void p3_tls_pin_text(const X509 *cert, char out[P3_PIN_TEXT]);

/* Makes a context verify certificates by the policy, which must outlive it. */
void p3_tls_use_policy(SSL_CTX *ctx, p3_tls_policy *policy);

#endif
