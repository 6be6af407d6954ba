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

/** @defgroup pop3_trust TLS contexts
 * What a connection trusts: authorities, pins, a client certificate, and the sessions to resume.
 * Many clients may share a context, in many threads; it is freed when the last of them has gone.
 * @{ */

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

/** What is wrong with a server's certificate, as far as it asks something else of the caller. */
typedef enum pop3_certificate_fault {
    POP3_CERTIFICATE_GOOD = 0,  /**< The error is none of ::POP3_ERR_CERTIFICATE. */
    POP3_CERTIFICATE_UNTRUSTED, /**< Nobody that is trusted has signed it. */
    POP3_CERTIFICATE_NAME,      /**< It is for another host. */
    POP3_CERTIFICATE_TIME,      /**< It has expired or is not yet valid. */
    POP3_CERTIFICATE_PIN,       /**< Its key is not a pinned one. */
    POP3_CERTIFICATE_OTHER      /**< It is revoked, or anything else. */
} pop3_certificate_fault;

/** Why TLS failed, as far as it asks something else of the caller. */
typedef enum pop3_tls_fault {
    POP3_TLS_FAULT_NONE = 0,       /**< TLS has nothing to do with the error. */
    POP3_TLS_FAULT_NOT_TLS,        /**< What came instead of the handshake is not TLS. */
    POP3_TLS_FAULT_PLAINTEXT,      /**< The server, or something in between, went on without TLS. */
    POP3_TLS_FAULT_NOTHING_SHARED, /**< The two have no version or cipher in common; a server may
                                        mean that it wants a certificate of ours, too. */
    POP3_TLS_FAULT_CLIENT,         /**< The server wants a certificate of ours, or another one. */
    POP3_TLS_FAULT_OTHER,          /**< Anything else. */
    POP3_TLS_FAULT_EXPECTED        /**< ::POP3_ERR_TIMEOUT without TLS: the server has not greeted,
                                        as one that expects TLS from the first octet does not. */
} pop3_tls_fault;

/** A TLS context. */
typedef struct pop3_tls pop3_tls;

/** The least version of TLS to accept. */
typedef enum pop3_tls_version {
    POP3_TLS_DEFAULT = 0, /**< TLS 1.2. */
    POP3_TLS_1_2,         /**< TLS 1.2. */
    POP3_TLS_1_3          /**< TLS 1.3. */
} pop3_tls_version;

/**
 * Provides the pass phrase of an encrypted private key, inside of pop3_tls_new().
 * @param ctx      the pointer given with the callback.
 * @param key_file the file with the key.
 * @param buffer   where the pass phrase goes. The library wipes it.
 * @param size     octets at @p buffer: 1,024.
 * @param len      receives the pass phrase's octets.
 * @return ::POP3_OK; anything else when there is none: the key cannot be read then.
 */
typedef pop3_status (*pop3_passphrase_fn)(void *ctx, const char *key_file, char *buffer,
                                          size_t size, size_t *len);

/** Something that is wrong with a certificate chain. */
typedef struct pop3_certificate_error {
    int depth; /**< Which certificate: 0 is the server's own, 1 that of its issuer, and so on. */
    int code;  /**< OpenSSL's number for it, an X509_V_ERR_ constant. */
    const char *text; /**< What it is, in words. */
} pop3_certificate_error;

/** What is known when a server's certificate has been checked. Valid during the callback. */
typedef struct pop3_verification {
    const char *name;      /**< The host name or address it must be for. */
    size_t chain_count;    /**< Number of certificates. */
    const pop3_str *chain; /**< They, as the server sent them, in DER; the server's own
                                is the first. */
    size_t error_count;    /**< Number of errors. */
    const pop3_certificate_error *errors; /**< They, in the order they were found. */
    const char *pin;                      /**< The pin of the server's public key, "sha256//...". */
    bool acceptable;                      /**< What the library would decide. */
} pop3_verification;

/** Decides about a server's certificate, inside of the step that does the TLS handshake. Resumed
 * sessions are those of servers that were accepted before, and are not asked about again.
 * @return whether the connection may go on. */
typedef bool (*pop3_verify_fn)(void *ctx, const pop3_verification *verification);

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
                                       is sent as SNI, instead of the one connected to. */
    bool danger_accept_any_certificate; /**< Do not verify the server at all: anybody on the way can
                                             read the mail and the password. For tests. */
    const char *crl_file;   /**< PEM file of revocation lists. That of the server's certificate must
                               be among them; those of its issuers are heeded when they are. */
    const char *pinned_key; /**< Pins of the public keys that the server may have, as curl writes
                                 them: "sha256//" and the base64 of the SHA-256 of its
                                 SubjectPublicKeyInfo, several with ";" between; or the same digest
                                 in hexadecimal. With @c ca_file or @c ca_dir the chain must be
                               good, too; without, the key alone decides, and neither the name nor
                               the dates are checked; @c crl_file is an argument error then. */
    pop3_passphrase_fn passphrase; /**< Asked when the private key is encrypted; or NULL. */
    void *passphrase_ctx;          /**< First argument of @c passphrase. */
    const char *ciphers; /**< Ciphers for TLS 1.2, in OpenSSL's notation; NULL for its default. */
    const char *ciphersuites; /**< Those for TLS 1.3. */
    bool no_alpn;             /**< Do not say that the protocol is "pop3" (RFC 7301). */
    bool no_resumption;       /**< Begin each connection with a whole handshake. Otherwise a
                                   connection to a server of the same name resumes the session of an
                                   earlier one of this context. */
    pop3_verify_fn verify;    /**< Decides in the library's place; or NULL. */
    void *verify_ctx;         /**< First argument of @c verify. */
} pop3_tls_options;

/** Initializer for pop3_tls_options. */
#ifdef __cplusplus
POP3_DEFAULTS(pop3_tls_options)
#define POP3_TLS_OPTIONS_INIT pop3_tls_options_defaults()
#else
#define POP3_TLS_OPTIONS_INIT                                                                      \
    {                                                                                              \
        .size = sizeof(pop3_tls_options),                                                          \
    }
#endif

/**
 * Makes a TLS context.
 * @param out     receives the context, which the caller gives up with pop3_tls_free(); NULL when it
 *                fails.
 * @param options what it trusts; NULL for defaults.
 * @param error   receives a sentence that says what is wrong, when it is not NULL; always
 * terminated.
 * @param size    octets at @p error.
 * @return ::POP3_OK; ::POP3_ERR_ARGUMENT when a file cannot be read or does not hold what it
 * should, the key does not fit the certificate, or the options' size is unknown; ::POP3_ERR_MEMORY;
 *         ::POP3_ERR_TLS when the system has no random numbers for OpenSSL;
 *         ::POP3_ERR_NOT_OFFERED when the library was built without TLS.
 */
POP3_API pop3_status pop3_tls_new(pop3_tls **out, const pop3_tls_options *options, char *error,
                                  size_t size);

/**
 * Wraps an SSL_CTX of the caller's own, whose settings are used as they are: also its verification
 * mode, so one that does not verify does not verify here. The host name is checked and SNI sent.
 * The SSL_CTX is counted up: the caller may free its own reference. For programs that have an
 * SSL_CTX with settings that ::pop3_tls_options lacks.
 * @return as pop3_tls_new().
 */
POP3_API pop3_status pop3_tls_wrap(pop3_tls **out, struct ssl_ctx_st *ctx);

/** Gives up a context; it goes when the last client that uses it is freed. NULL does nothing. */
POP3_API void pop3_tls_free(pop3_tls *tls);

/** @} */

#ifdef __cplusplus
}
#endif
#endif
