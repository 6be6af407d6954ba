/* What is trusted, prepared once for all accounts that say the same about it: with the system's
 * authorities that takes 0.8 MB and some 20 ms. */
#ifndef P3_CLI_TLS_SHARED_H
#define P3_CLI_TLS_SHARED_H

#include <pop3/tls.h>

#include "settings/name_index.h"

/* All zero is empty. */
typedef struct p3_tls_shared {
    pop3_verify_fn verify; /* decides about certificates; NULL: the library does */
    void *verify_ctx;
    p3_name_index index; /* by a text that has all that an account says */
    char **keys;
    pop3_tls **at;
    size_t count;
} p3_tls_shared;

/* Finds what was made with the same options, or makes it; `*out` is owned by `shared`. Returns as
 * pop3_tls_new(). */
pop3_status p3_tls_shared_find(p3_tls_shared *shared, const pop3_tls_options *options,
                               pop3_tls **out, char *detail, size_t size);

void p3_tls_shared_free(p3_tls_shared *shared);

#endif
