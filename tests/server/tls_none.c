/* In place of tls.c in a build without TLS: a certificate is refused, so that no connection has it.
 */
#include "tls.h"

#include <stdio.h>
#include <string.h>

int tls_version(const char *text)
{
    bool known =
        strlen(text) == 3 && strncmp(text, "1.", 2) == 0 && text[2] >= '0' && text[2] <= '3';
    return known ? 1 + (text[2] - '0') : 0;
}

struct tls_context *tls_context_new(const struct tls_settings *settings, char *why, size_t why_size)
{
    (void)snprintf(why, why_size, "%s: this build has no TLS", settings->cert);
    return NULL;
}

void tls_context_free(struct tls_context *context)
{
    (void)context;
}

struct tls *tls_new(struct tls_context *context, int fd)
{
    (void)context;
    (void)fd;
    return NULL;
}

void tls_free(struct tls *t)
{
    (void)t;
}

enum tls_io tls_accept(struct tls *t)
{
    (void)t;
    return TLS_FAILED;
}

void tls_describe(const struct tls *t, char *out, size_t size)
{
    (void)t;
    (void)snprintf(out, size, "-");
}

const char *tls_reason(void)
{
    return "this build has no TLS";
}

enum tls_io tls_read(struct tls *t, char *to, size_t size, size_t *got)
{
    (void)t;
    (void)to;
    (void)size;
    *got = 0;
    return TLS_FAILED;
}

enum tls_io tls_write(struct tls *t, const char *data, size_t len, size_t *put)
{
    (void)t;
    (void)data;
    (void)len;
    *put = 0;
    return TLS_FAILED;
}

enum tls_io tls_close(struct tls *t)
{
    (void)t;
    return TLS_FAILED;
}
