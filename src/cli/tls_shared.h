/* TLS contexts, shared by all accounts with the same settings: each takes 0.8 MB and some 20 ms
 * with the system's authorities. */
#ifndef P3_CLI_TLS_SHARED_H
#define P3_CLI_TLS_SHARED_H

#include <pop3/tls.h>

#include "settings/name_index.h"

/* All zero is empty. */
typedef struct p3_tls_shared {
    pop3_verify_fn verify; /* verifies certificates; NULL: the library does */
    void *verify_ctx;
    p3_name_index index; /* by a text of all the settings */
    char **keys;
    pop3_tls **at;
    size_t count;
} p3_tls_shared;

/* Finds the context for these options, or creates it; `*out` belongs to `shared`. Returns as
 * pop3_tls_new(). */
pop3_status p3_tls_shared_find(p3_tls_shared *shared, const pop3_tls_options *options,
                               pop3_tls **out, char *detail, size_t size);

void p3_tls_shared_free(p3_tls_shared *shared);

#endif
