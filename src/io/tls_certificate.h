/* Describes why a server's certificate was not accepted. */
#ifndef P3_IO_TLS_CERTIFICATE_H
#define P3_IO_TLS_CERTIFICATE_H

#include <openssl/ssl.h>

/* Writes which check failed (an X509_V_ERR_ code), for which name, and what the certificate has
 * instead. */
void p3_tls_explain_certificate(SSL *ssl, long error, const char *name, char *out, size_t size);

#endif
