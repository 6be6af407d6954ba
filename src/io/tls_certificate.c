/* Describes why a server's certificate was not accepted. */
#include "io/tls_certificate.h"

#include "io/tls_verify.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>

/* Copies the contents of a memory BIO, with anything but printable ASCII as "?". */
static void drain(BIO *bio, char *out, size_t size)
{
    int n = BIO_read(bio, out, (int)size - 1);
    if (n < 0)
        n = 0;
    for (int i = 0; i < n; i++) {
        if (out[i] < 0x20 || out[i] > 0x7E)
            out[i] = '?';
    }
    out[n] = '\0';
}

/* The names of a certificate: its subject alternative names. Without them it is valid for no host,
 * whatever its subject is (RFC 9525 §2), which is shown nevertheless. */
static void print_names(BIO *bio, const X509 *cert)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    if (names == NULL) {
        BIO_puts(bio, "no host, as it has no subject alternative name; its subject is ");
        X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0, XN_FLAG_ONELINE);
    }
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && i < 8; i++) { /* -1 for NULL */
        if (i > 0)
            BIO_puts(bio, ", ");
        GENERAL_NAME_print(bio, sk_GENERAL_NAME_value(names, i));
    }
    GENERAL_NAMES_free(names);
}

static void print_issuer(BIO *bio, const X509 *cert)
{
    X509_NAME_print_ex(bio, X509_get_issuer_name(cert), 0, XN_FLAG_ONELINE);
}

static void print_begin(BIO *bio, const X509 *cert)
{
    ASN1_TIME_print(bio, X509_get0_notBefore(cert));
}

static void print_end(BIO *bio, const X509 *cert)
{
    ASN1_TIME_print(bio, X509_get0_notAfter(cert));
}

/* What one of those prints; "" when out of memory. */
static void write_out(void (*print)(BIO *bio, const X509 *cert), const X509 *cert, char *out,
                      size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    out[0] = '\0';
    if (bio == NULL)
        return;
    print(bio, cert);
    drain(bio, out, size);
    BIO_free(bio);
}

/* The certificate in the server's chain that an error is about. Only the chain is available,
 * because OpenSSL keeps what the server sent only after it has been accepted. */
static const X509 *culprit(const STACK_OF(X509) * chain, long error)
{
    int count = sk_X509_num(chain); /* -1 for none */
    if (error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY)
        return sk_X509_value(chain, count - 1);
    for (int i = 0; i < count; i++) {
        const X509 *cert = sk_X509_value(chain, i);
        if (error == X509_V_ERR_CERT_HAS_EXPIRED &&
            X509_cmp_current_time(X509_get0_notAfter(cert)) < 0)
            return cert;
        if (error == X509_V_ERR_CERT_NOT_YET_VALID &&
            X509_cmp_current_time(X509_get0_notBefore(cert)) > 0)
            return cert;
    }
    return sk_X509_value(chain, 0);
}

void p3_tls_explain_certificate(SSL *ssl, long error, const char *name, char *out, size_t size)
{
    const char *reason = X509_verify_cert_error_string(error);
    const X509 *cert = culprit(SSL_get0_verified_chain(ssl), error);
    char about[256];
    if (cert == NULL) {
        snprintf(out, size, "the certificate for %s is not acceptable: %s", name, reason);
        return;
    }
    switch (error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        write_out(print_names, cert, about, sizeof about);
        snprintf(out, size, "the certificate is not for %s: %s; it is for %s", name, reason, about);
        break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        write_out(print_end, cert, about, sizeof about);
        snprintf(out, size, "the certificate for %s is not acceptable: %s; it ended on %s", name,
                 reason, about);
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        write_out(print_begin, cert, about, sizeof about);
        snprintf(out, size, "the certificate for %s is not acceptable: %s; it begins on %s", name,
                 reason, about);
        break;
    case X509_V_ERR_CERT_REJECTED: /* ours: see tls_verify.c */
        p3_tls_pin_text(cert, about);
        snprintf(out, size, "the public key of %s is not a pinned one; its pin is %s", name, about);
        break;
    case X509_V_ERR_APPLICATION_VERIFICATION:
        write_out(print_issuer, cert, about, sizeof about);
        snprintf(out, size,
                 "the certificate for %s was not accepted by the application; its issuer is "
                 "%s",
                 name, about);
        break;
    case X509_V_ERR_CERT_REVOKED:
        write_out(print_issuer, cert, about, sizeof about);
        snprintf(out, size, "the certificate for %s has been revoked by its issuer, %s", name,
                 about);
        break;
    default:
        write_out(print_issuer, cert, about, sizeof about);
        snprintf(out, size, "the certificate for %s is not acceptable: %s; its issuer is %s", name,
                 reason, about);
    }
}
