/* TLS contexts: trusted authorities, our certificate, versions. */
#include "io/tls_context.h"

#include "core/sized.h"
#include "io/idn.h"
#include "io/tls_owner.h"
#include "io/tls_transport.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509_vfy.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the message about a failure is written. */
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

/* Why OpenSSL failed: the first error is the cause, later ones say where it was noticed. */
static const char *reason(void)
{
    unsigned long code = ERR_peek_error();
    const char *text = code == 0 ? NULL : ERR_reason_error_string(code);
    if (text == NULL && ERR_SYSTEM_ERROR(code))
        text = strerror(ERR_GET_REASON(code));
    return text != NULL ? text : "unknown error";
}

static pop3_status load_revocations(SSL_CTX *ctx, const char *file, const p3_complaint *c)
{
    if (file == NULL)
        return POP3_OK;
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    if (lookup == NULL || X509_load_crl_file(lookup, file, X509_FILETYPE_PEM) < 1)
        return complain(c, "cannot read revocation lists from %s: %s", file, reason());
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return POP3_OK;
}

static pop3_status load_policy(SSL_CTX *ctx, pop3_tls *tls, const pop3_tls_options *o,
                               const p3_complaint *c)
{
    if (o->danger_accept_any_certificate) {
        if (o->pinned_key != NULL || o->crl_file != NULL || o->verify != NULL)
            return complain(c,
                            "accepting any certificate leaves nothing to verify by other options");
        return POP3_OK;
    }
    if (o->pinned_key != NULL && !p3_tls_read_pins(&tls->policy, o->pinned_key))
        return complain(c,
                        "%s is not a pin: sha256// and a base64 of 44 characters, or 64 "
                        "hexadecimal digits",
                        o->pinned_key);
    tls->policy.pin_alone = o->ca_file == NULL && o->ca_dir == NULL;
    if (o->pinned_key != NULL && tls->policy.pin_alone && o->crl_file != NULL)
        return complain(c,
                        "revocation lists with a pin also need the authorities that signed them");
    tls->policy.verify = o->verify;
    tls->policy.verify_ctx = o->verify_ctx;
    p3_tls_use_policy(ctx, &tls->policy);
    return load_revocations(ctx, o->crl_file, c);
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
        return complain(c, "cannot use the directory %s of certificate authorities: %s", o->ca_dir,
                        reason());
    return POP3_OK;
}

/* How to get a pass phrase. Without a callback an encrypted key cannot be read; OpenSSL's default
 * would ask on the terminal. */
typedef struct p3_asker {
    const pop3_tls_options *options;
    const char *key_file;
} p3_asker;

static int ask_pass_phrase(char *buffer, int size, int writing, void *ctx)
{
    const p3_asker *asker = ctx;
    size_t len = 0;
    (void)writing;
    if (asker == NULL || asker->options->passphrase == NULL || size < 1)
        return -1;
    pop3_status status = asker->options->passphrase(asker->options->passphrase_ctx, asker->key_file,
                                                    buffer, (size_t)size, &len);
    return status == POP3_OK && len <= (size_t)size ? (int)len : -1;
}

static pop3_status load_identity(SSL_CTX *ctx, const pop3_tls_options *o, const p3_complaint *c)
{
    SSL_CTX_set_default_passwd_cb(ctx, ask_pass_phrase);
    if (o->certificate_file == NULL && o->key_file == NULL)
        return POP3_OK;
    if (o->certificate_file == NULL)
        return complain(c, "a private key was given without its certificate");
    const char *key = o->key_file != NULL ? o->key_file : o->certificate_file;
    if (SSL_CTX_use_certificate_chain_file(ctx, o->certificate_file) != 1)
        return complain(c, "cannot read a certificate from %s: %s", o->certificate_file, reason());
    p3_asker asker = {.options = o, .key_file = key};
    SSL_CTX_set_default_passwd_cb_userdata(ctx, &asker);
    int used = SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM);
    SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);
    if (used != 1)
        return complain(c, "cannot read the private key from %s: %s", key, reason());
    if (SSL_CTX_check_private_key(ctx) != 1)
        return complain(c, "the private key in %s does not match the certificate in %s", key,
                        o->certificate_file);
    return POP3_OK;
}

/* We store sessions ourselves, because OpenSSL's own cache does not know which server they belong
 * to. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    const p3_tls_peer *peer = SSL_get_app_data(ssl);
    p3_tls_sessions *sessions = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    return p3_tls_sessions_put(sessions, peer->name, session);
}

static pop3_status configure_protocol(SSL_CTX *ctx, pop3_tls *tls, const pop3_tls_options *o,
                                      const p3_complaint *c)
{
    static const unsigned char alpn[] = "\x04pop3";
    if (o->ciphers != NULL && SSL_CTX_set_cipher_list(ctx, o->ciphers) != 1)
        return complain(c, "%s holds no cipher of TLS 1.2: %s", o->ciphers, reason());
    if (o->ciphersuites != NULL && SSL_CTX_set_ciphersuites(ctx, o->ciphersuites) != 1)
        return complain(c, "%s is not a list of ciphers of TLS 1.3: %s", o->ciphersuites, reason());
    if (!o->no_alpn && SSL_CTX_set_alpn_protos(ctx, alpn, sizeof alpn - 1) != 0)
        return POP3_ERR_MEMORY;
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    if (o->no_resumption)
        return POP3_OK;
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, keep_session);
    return SSL_CTX_set_app_data(ctx, &tls->sessions) == 1 ? POP3_OK : POP3_ERR_MEMORY;
}

static pop3_status configure(SSL_CTX *ctx, pop3_tls *tls, const pop3_tls_options *o,
                             const p3_complaint *c)
{
    int version = o->min_version == POP3_TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
    if (o->min_version < POP3_TLS_DEFAULT || o->min_version > POP3_TLS_1_3)
        return complain(c, "unknown TLS version");
    if (SSL_CTX_set_min_proto_version(ctx, version) != 1)
        return complain(c, "cannot set the least TLS version: %s", reason());
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    pop3_status status = configure_protocol(ctx, tls, o, c);
    if (status == POP3_OK)
        status = load_trust(ctx, o, c);
    if (status == POP3_OK)
        status = load_policy(ctx, tls, o, c);
    return status != POP3_OK ? status : load_identity(ctx, o, c);
}

/* Creates the object around an SSL_CTX, whose reference it takes over in any case. */
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
    pop3_status named = POP3_OK;
    if (server_name != NULL)
        named = server_name[0] == '.' ? POP3_ERR_ARGUMENT
                                      : p3_idn_to_ascii(server_name, &tls->server_name);
    if (named == POP3_ERR_ARGUMENT) {
        pop3_tls_free(tls);
        return POP3_ERR_ARGUMENT;
    }
    if (!p3_tls_sessions_init(&tls->sessions) || tls->transport == NULL ||
        (server_name != NULL && tls->server_name == NULL)) {
        pop3_tls_free(tls);
        return POP3_ERR_MEMORY;
    }
    *out = tls;
    return POP3_OK;
}

/* Why OpenSSL created no context. Its last error is always "malloc failure", and the errors before
 * it differ between versions. */
static pop3_status why_no_context(p3_complaint *c)
{
    if (RAND_status() == 1)
        return POP3_ERR_MEMORY;
    complain(c, "OpenSSL has no random numbers: is getrandom(2) forbidden here?");
    return POP3_ERR_TLS;
}

pop3_status pop3_tls_new(pop3_tls **out, const pop3_tls_options *options, char *error, size_t size)
{
    p3_complaint c = {.text = error, .size = size};
    if (error != NULL && size > 0)
        error[0] = '\0';
    if (out == NULL)
        return complain(&c, "no pointer for the TLS context was given");
    *out = NULL;
    pop3_tls_options o = POP3_TLS_OPTIONS_INIT;
    if (options != NULL && !p3_import_struct(&o, sizeof o, options))
        return complain(&c, "the options' size is not that of a version of this library: begin "
                            "with POP3_TLS_OPTIONS_INIT");
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    pop3_tls *tls = NULL;
    pop3_status status = ctx != NULL ? enclose(&tls, ctx, o.server_name) : why_no_context(&c);
    if (status == POP3_OK)
        status = configure(ctx, tls, &o, &c);
    if (status == POP3_OK)
        *out = tls;
    else
        pop3_tls_free(tls);
    if (status == POP3_ERR_ARGUMENT && tls == NULL && ctx != NULL)
        complain(&c, "%s is not the name of a host", o.server_name);
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
    pop3_status status = enclose(out, ctx, NULL);
    if (status == POP3_OK)
        (*out)->wrapped = true;
    return status;
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
    p3_tls_sessions_free(&tls->sessions);
    SSL_CTX_free(tls->ctx);
    BIO_meth_free(tls->transport);
    free(tls->server_name);
    free(tls);
}
