/* TLS contexts: what is trusted, what we present, which versions are good enough. */
#include "io/tls_context.h"

#include "io/tls_session.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the sentence about a failure goes. */
typedef struct p3_complaint {
    char *text; /* or NULL */
    size_t size;
} p3_complaint;

__attribute__((format(printf, 2, 3))) static pop3_status complain(const p3_complaint *c,
                                                                  const char *format, ...)
{
    if (c->text != NULL && c->size > 0) {
        va_list args;
        va_start(args, format);
        vsnprintf(c->text, c->size, format, args);
        va_end(args);
    }
    return POP3_ERR_ARGUMENT;
}

/* Why OpenSSL failed: the first error is the cause, those after it say where it was noticed. */
static const char *reason(void)
{
    unsigned long code = ERR_peek_error();
    const char *text = code == 0 ? NULL : ERR_reason_error_string(code);
    if (text == NULL && ERR_SYSTEM_ERROR(code))
        text = strerror(ERR_GET_REASON(code));
    return text != NULL ? text : "unknown error";
}

static pop3_status load_trust(SSL_CTX *ctx, const pop3_tls_options *o, const p3_complaint *c)
{
    if (o->danger_accept_any_certificate) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
        return POP3_OK;
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (o->ca_file == NULL && o->ca_dir == NULL) {
        if (SSL_CTX_set_default_verify_paths(ctx) != 1)
            return complain(c, "cannot use the system's certificate authorities: %s", reason());
        return POP3_OK;
    }
    if (o->ca_file != NULL && SSL_CTX_load_verify_file(ctx, o->ca_file) != 1)
        return complain(c, "cannot read certificate authorities from %s: %s", o->ca_file, reason());
    if (o->ca_dir != NULL && SSL_CTX_load_verify_dir(ctx, o->ca_dir) != 1)
        return complain(c, "cannot use the folder %s of certificate authorities: %s", o->ca_dir,
                        reason());
    return POP3_OK;
}

/* An encrypted key cannot be read without somebody to ask; OpenSSL's default would ask on the
 * terminal. */
static int no_pass_phrase(char *buffer, int size, int writing, void *ctx)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

static pop3_status load_identity(SSL_CTX *ctx, const pop3_tls_options *o, const p3_complaint *c)
{
    SSL_CTX_set_default_passwd_cb(ctx, no_pass_phrase);
    if (o->certificate_file == NULL && o->key_file == NULL)
        return POP3_OK;
    if (o->certificate_file == NULL)
        return complain(c, "a private key was given without its certificate");
    const char *key = o->key_file != NULL ? o->key_file : o->certificate_file;
    if (SSL_CTX_use_certificate_chain_file(ctx, o->certificate_file) != 1)
        return complain(c, "cannot read a certificate from %s: %s", o->certificate_file, reason());
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        return complain(c, "cannot read the private key from %s: %s", key, reason());
    if (SSL_CTX_check_private_key(ctx) != 1)
        return complain(c, "the private key in %s does not fit the certificate in %s", key,
                        o->certificate_file);
    return POP3_OK;
}

static pop3_status configure(SSL_CTX *ctx, const pop3_tls_options *o, const p3_complaint *c)
{
    int version = o->min_version == POP3_TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
    if (o->min_version < POP3_TLS_DEFAULT || o->min_version > POP3_TLS_1_3)
        return complain(c, "unknown TLS version");
    if (SSL_CTX_set_min_proto_version(ctx, version) != 1)
        return complain(c, "cannot set the least TLS version: %s", reason());
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    pop3_status status = load_trust(ctx, o, c);
    return status != POP3_OK ? status : load_identity(ctx, o, c);
}

/* Makes the object around an SSL_CTX, whose reference it takes over in any case. */
static pop3_status enclose(pop3_tls **out, SSL_CTX *ctx, const char *server_name)
{
    pop3_tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL) {
        SSL_CTX_free(ctx);
        return POP3_ERR_MEMORY;
    }
    atomic_init(&tls->owners, 1);
    tls->ctx = ctx;
    tls->transport = p3_tls_transport();
    tls->server_name = server_name == NULL ? NULL : strdup(server_name);
    if (tls->transport == NULL || (server_name != NULL && tls->server_name == NULL)) {
        pop3_tls_free(tls);
        return POP3_ERR_MEMORY;
    }
    *out = tls;
    return POP3_OK;
}

pop3_status pop3_tls_new(pop3_tls **out, const pop3_tls_options *options, char *error, size_t size)
{
    p3_complaint c = {.text = error, .size = size};
    if (error != NULL && size > 0)
        error[0] = '\0';
    if (out == NULL)
        return complain(&c, "nowhere to put the TLS context");
    *out = NULL;
    pop3_tls_options o = POP3_TLS_OPTIONS_INIT;
    if (options != NULL) {
        if (options->size != sizeof o)
            return complain(&c, "the options do not have the size this library knows");
        o = *options;
    }
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    pop3_status status = POP3_ERR_MEMORY;
    if (ctx != NULL) {
        status = configure(ctx, &o, &c);
        if (status != POP3_OK)
            SSL_CTX_free(ctx);
        else
            status = enclose(out, ctx, o.server_name);
    }
    if (status == POP3_ERR_MEMORY)
        complain(&c, "out of memory for a TLS context");
    ERR_clear_error();
    return status;
}

pop3_status pop3_tls_wrap(pop3_tls **out, SSL_CTX *ctx)
{
    if (out == NULL)
        return POP3_ERR_ARGUMENT;
    *out = NULL;
    if (ctx == NULL || SSL_CTX_up_ref(ctx) != 1)
        return POP3_ERR_ARGUMENT;
    return enclose(out, ctx, NULL);
}

void p3_tls_retain(pop3_tls *tls)
{
    atomic_fetch_add(&tls->owners, 1);
}

bool p3_tls_verifies(const pop3_tls *tls)
{
    return (SSL_CTX_get_verify_mode(tls->ctx) & SSL_VERIFY_PEER) != 0;
}

void pop3_tls_free(pop3_tls *tls)
{
    if (tls == NULL || atomic_fetch_sub(&tls->owners, 1) != 1)
        return;
    SSL_CTX_free(tls->ctx);
    BIO_meth_free(tls->transport);
    free(tls->server_name);
    free(tls);
}
