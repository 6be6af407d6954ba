/* Replaces tls_context.c in a build without TLS: every function fails. */
#include "io/tls_owner.h"

#include <stdio.h>

pop3_status pop3_tls_new(pop3_tls **out, const pop3_tls_options *options, char *error, size_t size)
{
    (void)options;
    if (out != NULL)
        *out = NULL;
    if (error != NULL && size > 0)
        snprintf(error, size, "this build of libpop3 has no TLS");
    return POP3_ERR_NOT_OFFERED;
}

pop3_status pop3_tls_wrap(pop3_tls **out, struct ssl_ctx_st *ctx)
{
    (void)ctx;
    if (out != NULL)
        *out = NULL;
    return POP3_ERR_NOT_OFFERED;
}

void pop3_tls_free(pop3_tls *tls)
{
    (void)tls;
}

void p3_tls_retain(pop3_tls *tls)
{
    (void)tls;
}
