/**
 * @file tls.h
 * What a connection trusts and how it proves who it is: a TLS context that any number of clients
 * may share.
 *
 * By default the server's certificate is verified against the system's certificate authorities and
 * must name the host that was asked for; TLS 1.2 is the least version (RFC 8314 §4, RFC 9325).
 *
 * Thread safety: a context may be shared by clients in different threads; it must not be freed
 * while pop3_client_new() is using it in another thread. It is counted: clients keep it alive.
 */
#ifndef POP3_TLS_H
#define POP3_TLS_H

#include <pop3/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

/** A TLS context. */
typedef struct pop3_tls pop3_tls;

/** The least version of TLS to accept. */
typedef enum pop3_tls_version {
    POP3_TLS_DEFAULT = 0, /**< TLS 1.2. */
    POP3_TLS_1_2,         /**< TLS 1.2. */
    POP3_TLS_1_3          /**< TLS 1.3. */
} pop3_tls_version;

/** What a context is made with. Begin with ::POP3_TLS_OPTIONS_INIT; zero fields are defaults. All
 * strings are copied or used before pop3_tls_new() returns. */
typedef struct pop3_tls_options {
    size_t size;         /**< sizeof(pop3_tls_options). */
    const char *ca_file; /**< PEM file of certificate authorities to trust. */
    const char *ca_dir;  /**< Folder of such files with hashed names. When neither is given,
                              the system's authorities are trusted. */
    const char *certificate_file; /**< PEM file with our certificate, and its chain. */
    const char *key_file;         /**< PEM file with its private key; default: the former file. */
    pop3_tls_version min_version; /**< The least version of TLS. */
    const char *server_name;      /**< Host name or address that the certificate must have, and that
                                       is sent as SNI, in place of the one connected to. */
    bool danger_accept_any_certificate; /**< Do not verify the server at all: anybody on the way can
                                             read the mail and the password. For tests. */
} pop3_tls_options;

/** Initializer for pop3_tls_options. */
#define POP3_TLS_OPTIONS_INIT                                                                      \
    {                                                                                              \
        .size = sizeof(pop3_tls_options)                                                           \
    }

/**
 * Makes a TLS context.
 * @param out     receives the context, which the caller gives up with pop3_tls_free().
 * @param options what it trusts; NULL for defaults.
 * @param error   receives a sentence that says what is wrong, when it is not NULL; always
 * terminated.
 * @param size    octets at @p error.
 * @return ::POP3_OK; ::POP3_ERR_ARGUMENT when a file cannot be read or does not hold what it
 * should, the key does not fit the certificate, or the options' size is unknown; ::POP3_ERR_MEMORY;
 *         ::POP3_ERR_NOT_OFFERED when the library was built without TLS.
 */
POP3_API pop3_status pop3_tls_new(pop3_tls **out, const pop3_tls_options *options, char *error,
                                  size_t size);

/**
 * Wraps an SSL_CTX of the caller's own, whose settings are used as they are: also its verification
 * mode, so one that does not verify does not verify here. The host name is checked and SNI sent.
 * The SSL_CTX is counted up: the caller may free its own reference.
 * @return as pop3_tls_new().
 */
POP3_API pop3_status pop3_tls_wrap(pop3_tls **out, struct ssl_ctx_st *ctx);

/** Gives up a context; it goes when the last client that uses it is freed. NULL does nothing. */
POP3_API void pop3_tls_free(pop3_tls *tls);

#ifdef __cplusplus
}
#endif
#endif
