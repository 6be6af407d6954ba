/* Verifies a server's certificate: its chain, revocation lists, pins of its key, and the caller's
 * own decision. */
#include "io/tls_verify.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

/* Certificates shown to the caller's callback: more than any correct server has. */
#define P3_SHOWN_CERTIFICATES 16
#define P3_SHOWN_ERRORS       16

/* What is wrong with a chain. */
typedef struct p3_findings {
    pop3_certificate_error errors[P3_SHOWN_ERRORS];
    size_t count;
} p3_findings;

/* ---- pins ---- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* 64 hexadecimal digits, optionally separated by colons. */
static bool read_hex(const char *text, size_t len, unsigned char pin[P3_PIN])
{
    size_t digits = 0;
    for (size_t i = 0; i < len; i++) {
        int value = hex_value(text[i]);
        if (text[i] == ':' && digits > 0 && digits % 2 == 0)
            continue;
        if (value < 0 || digits == 2 * P3_PIN)
            return false;
        pin[digits / 2] = (unsigned char)(digits % 2 == 0 ? value << 4 : pin[digits / 2] | value);
        digits++;
    }
    return digits == 2 * P3_PIN;
}

/* "sha256//" and 44 characters of base64, the last of them padding. */
static bool read_base64(const char *text, size_t len, unsigned char pin[P3_PIN])
{
    enum { CHARACTERS = 44 };
    unsigned char out[CHARACTERS / 4 * 3];
    if (len != 8 + CHARACTERS || memcmp(text, "sha256//", 8) != 0 || text[len - 1] != '=' ||
        text[len - 2] == '=')
        return false;
    if (EVP_DecodeBlock(out, (const unsigned char *)text + 8, CHARACTERS) != (int)sizeof out)
        return false;
    memcpy(pin, out, P3_PIN);
    return true;
}

bool p3_tls_read_pins(p3_tls_policy *policy, const char *text)
{
    for (;;) {
        size_t len = strcspn(text, ";");
        if (policy->pin_count == P3_PINS)
            return false;
        unsigned char *pin = policy->pins[policy->pin_count];
        if (!read_base64(text, len, pin) && !read_hex(text, len, pin))
            return false;
        policy->pin_count++;
        if (text[len] == '\0')
            return true;
        text += len + 1;
    }
}

static bool pin_of(const X509 *cert, unsigned char pin[P3_PIN])
{
    unsigned char *der = NULL;
    unsigned len = 0;
    int n = cert == NULL ? -1 : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    bool ok = n > 0 && EVP_Digest(der, (size_t)n, pin, &len, EVP_sha256(), NULL) == 1;
    OPENSSL_free(der);
    return ok && len == P3_PIN;
}

void p3_tls_pin_text(const X509 *cert, char out[P3_PIN_TEXT])
{
    unsigned char pin[P3_PIN];
    out[0] = '\0';
    if (!pin_of(cert, pin))
        return;
    memcpy(out, "sha256//", 8);
    EVP_EncodeBlock((unsigned char *)out + 8, pin, sizeof pin);
}

static bool is_pinned(const p3_tls_policy *policy, const X509 *cert)
{
    unsigned char pin[P3_PIN];
    if (!pin_of(cert, pin))
        return false;
    for (size_t i = 0; i < policy->pin_count; i++) {
        if (memcmp(policy->pins[i], pin, P3_PIN) == 0)
            return true;
    }
    return false;
}

/* ---- the chain ---- */

static p3_tls_peer *peer_of(X509_STORE_CTX *store)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    return SSL_get_app_data(ssl);
}

/* Records an error and lets the verification continue, so that all are found. */
static int note_error(int ok, X509_STORE_CTX *store)
{
    if (ok)
        return 1;
    p3_findings *found = peer_of(store)->found;
    int code = X509_STORE_CTX_get_error(store);
    int depth = X509_STORE_CTX_get_error_depth(store);
    /* Few users have the lists of all authorities; the one for the server's own certificate is
     * required. */
    if (code == X509_V_ERR_UNABLE_TO_GET_CRL && depth > 0)
        return 1;
    if (found->count < P3_SHOWN_ERRORS)
        found->errors[found->count++] = (pop3_certificate_error){
            .depth = depth,
            .code = code,
            .text = X509_verify_cert_error_string(code),
        };
    return 1;
}

/* Asks the caller. */
static bool ask_caller(const p3_tls_policy *policy, X509_STORE_CTX *store, const p3_findings *found,
                       bool acceptable)
{
    STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(store);
    pop3_str chain[P3_SHOWN_CERTIFICATES];
    char pin[P3_PIN_TEXT];
    size_t count = 0;
    for (int i = 0; i < sk_X509_num(sent) && count < P3_SHOWN_CERTIFICATES; i++) {
        unsigned char *der = NULL;
        int len = i2d_X509(sk_X509_value(sent, i), &der);
        if (len > 0)
            chain[count++] = (pop3_str){.data = (const char *)der, .len = (size_t)len};
    }
    p3_tls_pin_text(X509_STORE_CTX_get0_cert(store), pin);
    pop3_verification v = {
        .name = peer_of(store)->name,
        .chain_count = count,
        .chain = chain,
        .error_count = found->count,
        .errors = found->errors,
        .pin = pin,
        .acceptable = acceptable,
    };
    bool accepted = policy->verify(policy->verify_ctx, &v);
    for (size_t i = 0; i < count; i++)
        OPENSSL_free((void *)(uintptr_t)chain[i].data);
    return accepted;
}

/* Instead of X509_verify_cert(): calls it, and decides. */
static int verify_chain(X509_STORE_CTX *store, void *arg)
{
    const p3_tls_policy *policy = arg;
    p3_findings found = {.count = 0};
    peer_of(store)->found = &found;
    X509_STORE_CTX_set_verify_cb(store, note_error);
    int verified = X509_verify_cert(store);
    peer_of(store)->found = NULL;
    if (verified <= 0 && found.count == 0) /* it could not even be tried */
        return verified;
    int code = found.count > 0 ? found.errors[0].code : X509_V_OK;
    if (policy->pin_count > 0) {
        if (!is_pinned(policy, X509_STORE_CTX_get0_cert(store)))
            code = X509_V_ERR_CERT_REJECTED;
        else if (policy->pin_alone)
            code = X509_V_OK;
    }
    if (policy->verify != NULL) {
        if (ask_caller(policy, store, &found, code == X509_V_OK))
            code = X509_V_OK;
        else if (code == X509_V_OK)
            code = X509_V_ERR_APPLICATION_VERIFICATION;
    }
    X509_STORE_CTX_set_error(store, code);
    return code == X509_V_OK;
}

void p3_tls_use_policy(SSL_CTX *ctx, p3_tls_policy *policy)
{
    SSL_CTX_set_cert_verify_callback(ctx, verify_chain, policy);
}
