/* TLS by OpenSSL: a context is an SSL_CTX, a connection an SSL. */
#include "tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int tls_version(const char *text)
{
    static const struct {
        const char *text;
        int version;
    } versions[] = {
        {"1.0", TLS1_VERSION},
        {"1.1", TLS1_1_VERSION},
        {"1.2", TLS1_2_VERSION},
        {"1.3", TLS1_3_VERSION},
    };
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        if (strcmp(text, versions[i].text) == 0) {
            return versions[i].version;
        }
    }
    return 0;
}

/* RFC 7301 §3.2: a client that offers protocols, none of them ours, is told so with an alert. */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *offered, unsigned offered_len, void *unused)
{
    (void)ssl;
    (void)unused;
    static const unsigned char ours[] = {4, 'p', 'o', 'p', '3'};
    unsigned char *chosen = NULL;
    int result = SSL_select_next_proto(&chosen, out_len, ours, sizeof ours, offered, offered_len);
    if (result != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* Every name is taken: the transcript notes which it was. */
static int accept_name(SSL *ssl, int *alert, void *unused)
{
    (void)ssl;
    (void)alert;
    (void)unused;
    return SSL_TLSEXT_ERR_OK;
}

static bool set_versions(SSL_CTX *context, const struct tls_settings *settings)
{
    int min = settings->min;
    if (min == 0) {
        min = settings->max != 0 && settings->max < TLS1_2_VERSION ? TLS1_VERSION : TLS1_2_VERSION;
    }
    if (min < TLS1_2_VERSION || (settings->max != 0 && settings->max < TLS1_2_VERSION)) {
        /* OpenSSL 3 allows the signatures of TLS 1.0 and 1.1 at level 0 only. */
        SSL_CTX_set_security_level(context, 0);
    }
    return SSL_CTX_set_min_proto_version(context, min) == 1 &&
           SSL_CTX_set_max_proto_version(context, settings->max) == 1;
}

static bool ask_for_client(SSL_CTX *context, const char *ca)
{
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(ca);
    if (names == NULL) {
        return false;
    }
    SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return SSL_CTX_load_verify_locations(context, ca, NULL) == 1;
}

struct tls_context *tls_context_new(const struct tls_settings *settings, char *why, size_t why_size)
{
    static const unsigned char id[] = "pop3-testserver";
    const char *key = settings->key != NULL ? settings->key : settings->cert;
    const char *doing = "TLS";
    const char *reason;
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL) {
        goto fail;
    }
    doing = "setting the TLS versions";
    if (!set_versions(context, settings)) {
        goto fail;
    }
    doing = settings->cert;
    if (SSL_CTX_use_certificate_chain_file(context, settings->cert) != 1) {
        goto fail;
    }
    doing = key;
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
        goto fail;
    }
    doing = settings->client_ca;
    if (settings->client_ca != NULL && !ask_for_client(context, settings->client_ca)) {
        goto fail;
    }
    doing = "TLS sessions";
    if (SSL_CTX_set_session_id_context(context, id, sizeof id) != 1) {
        goto fail;
    }
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_tlsext_servername_callback(context, accept_name);
    if (settings->alpn) {
        SSL_CTX_set_alpn_select_cb(context, choose_alpn, NULL);
    }
    return (struct tls_context *)context;

fail:
    reason = ERR_reason_error_string(ERR_peek_last_error());
    (void)snprintf(why, why_size, "%s: %s", doing, reason != NULL ? reason : "failed");
    SSL_CTX_free(context);
    ERR_clear_error();
    return NULL;
}

void tls_context_free(struct tls_context *context)
{
    SSL_CTX_free((SSL_CTX *)context);
}

/* ---- connections ---- */

static SSL *of(const struct tls *t)
{
    return (SSL *)(uintptr_t)t;
}

struct tls *tls_new(struct tls_context *context, int fd)
{
    SSL *ssl = SSL_new((SSL_CTX *)context);
    if (ssl != NULL && SSL_set_fd(ssl, fd) == 1) {
        return (struct tls *)ssl;
    }
    SSL_free(ssl);
    return NULL;
}

void tls_free(struct tls *t)
{
    SSL_free(of(t));
}

static enum tls_io outcome(const SSL *ssl, int result)
{
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_CLOSED;
    default:
        return TLS_FAILED;
    }
}

enum tls_io tls_accept(struct tls *t)
{
    ERR_clear_error();
    int result = SSL_accept(of(t));
    return result == 1 ? TLS_DONE : outcome(of(t), result);
}

void tls_describe(const struct tls *t, char *out, size_t size)
{
    const char *name = SSL_get_servername(of(t), TLSEXT_NAMETYPE_host_name);
    const unsigned char *alpn = NULL;
    unsigned alpn_len = 0;
    SSL_get0_alpn_selected(of(t), &alpn, &alpn_len);
    (void)snprintf(out, size, "%s sni=%s alpn=%.*s", SSL_get_version(of(t)),
                   name != NULL ? name : "-", alpn_len > 0 ? (int)alpn_len : 1,
                   alpn_len > 0 ? (const char *)alpn : "-");
}

const char *tls_reason(void)
{
    unsigned long code = ERR_peek_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return reason;
}

enum tls_io tls_read(struct tls *t, char *to, size_t size, size_t *got)
{
    ERR_clear_error();
    int result = SSL_read_ex(of(t), to, size, got);
    return result == 1 ? TLS_DONE : outcome(of(t), result);
}

enum tls_io tls_write(struct tls *t, const char *data, size_t len, size_t *put)
{
    ERR_clear_error();
    int result = SSL_write_ex(of(t), data, len, put);
    return result == 1 ? TLS_DONE : outcome(of(t), result);
}

enum tls_io tls_close(struct tls *t)
{
    ERR_clear_error();
    int result = SSL_shutdown(of(t));
    enum tls_io io = result >= 0 ? TLS_DONE : outcome(of(t), result);
    ERR_clear_error();
    return io;
}
