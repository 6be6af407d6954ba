/* TLS for one connection, over a non-blocking socket. */
#include "io/tls_session.h"

#include "io/tls_certificate.h"
#include "io/tls_context.h"
#include "io/tls_owner.h"
#include "io/tls_transport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct p3_tls_session {
    SSL *ssl;
    pop3_tls *context;  /* counted */
    p3_tls_wire wire;   /* what carries the octets */
    bool established;   /* the handshake succeeded */
    pop3_status status; /* of the failure, or POP3_OK */
    p3_tls_io ended;    /* what it was, when there was one */
    pop3_tls_fault why; /* the same, for POP3_ERR_TLS */
    char *name;         /* the name that the certificate must have */
    p3_tls_peer peer;   /* it again, for those who judge the certificate */
    long verified;      /* what OpenSSL says of the certificate */
    bool offered;       /* an earlier session was offered to the server */
    char error[512];
};

static bool is_address(const char *name)
{
    unsigned char unused[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, name, unused) == 1 || inet_pton(AF_INET6, name, unused) == 1;
}

/* The name to verify: without the brackets or zone of an address or the dot of an absolute name. */
static char *plain_name(const char *host)
{
    size_t len = strcspn(host, "%");
    if (len > 0 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    if (len > 1 && host[len - 1] == '.')
        len--;
    return strndup(host, len);
}

/* Sets SNI (host names only, RFC 6066 §3) and the name or address that must be among the
 * certificate's subject alternative names (RFC 9525 §2: the common name does not count). OpenSSL
 * would interpret a name that begins with a dot as every subdomain. */
static pop3_status set_name(p3_tls_session *s)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(s->ssl);
    bool ok;
    if (is_address(s->name)) {
        ok = X509_VERIFY_PARAM_set1_ip_asc(param, s->name) == 1;
    } else if (s->name[0] == '.') {
        ok = false;
    } else {
        X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                                   X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
        ok = SSL_set_tlsext_host_name(s->ssl, s->name) == 1 && SSL_set1_host(s->ssl, s->name) == 1;
    }
    return ok ? POP3_OK : POP3_ERR_ARGUMENT;
}

/* Sets the name for verification, and offers to resume an earlier session, if there is one. */
static void resume(p3_tls_session *s)
{
    s->peer.name = s->name;
    SSL_set_app_data(s->ssl, &s->peer);
    SSL_SESSION *session = p3_tls_sessions_take(&s->context->sessions, s->name);
    if (session == NULL)
        return;
    s->offered = SSL_set_session(s->ssl, session) == 1; /* if not, there is a full handshake */
    SSL_SESSION_free(session);
}

static pop3_status set_up(p3_tls_session *s, const char *host)
{
    s->name = plain_name(s->context->server_name != NULL ? s->context->server_name : host);
    s->ssl = SSL_new(s->context->ctx);
    if (s->name == NULL || s->ssl == NULL)
        return POP3_ERR_MEMORY;
    BIO *bio = BIO_new(s->context->transport);
    if (bio == NULL)
        return POP3_ERR_MEMORY;
    BIO_set_data(bio, &s->wire);
    SSL_set_bio(s->ssl, bio, bio);
    SSL_set_connect_state(s->ssl);
    /* An idle connection needs no buffers. */
    SSL_set_mode(s->ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                             SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_set_read_ahead(s->ssl, 1);
    if (!s->context->wrapped)
        resume(s);
    return set_name(s);
}

pop3_status p3_tls_session_new(p3_tls_session **out, pop3_tls *tls, int fd, const char *host)
{
    p3_tls_session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return POP3_ERR_MEMORY;
    p3_tls_retain(tls);
    s->context = tls;
    s->wire.fd = fd;
    ERR_clear_error();
    pop3_status status = set_up(s, host);
    ERR_clear_error();
    if (status != POP3_OK) {
        p3_tls_session_free(s);
        return status;
    }
    *out = s;
    return POP3_OK;
}

static p3_tls_io note_result(p3_tls_session *s, p3_tls_io result, pop3_status status,
                             const char *why)
{
    s->status = status;
    s->ended = result;
    snprintf(s->error, sizeof s->error, "%s", why);
    return result;
}

/* The meaning of the server's alert. With TLS 1.3, alerts about the client's certificate arrive
 * after the handshake has ended on this side. */
static pop3_tls_fault fault_of_alert(const p3_tls_session *s, int alert)
{
    switch (alert) {
    case SSL_AD_HANDSHAKE_FAILURE:
        return s->established ? POP3_TLS_FAULT_CLIENT : POP3_TLS_FAULT_NOTHING_SHARED;
    case SSL_AD_PROTOCOL_VERSION:
    case SSL_AD_INSUFFICIENT_SECURITY:
        return POP3_TLS_FAULT_NOTHING_SHARED;
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED:
        return POP3_TLS_FAULT_CLIENT;
    default:
        return POP3_TLS_FAULT_OTHER;
    }
}

/* Why OpenSSL's library itself failed. */
static pop3_tls_fault fault_of_reason(const p3_tls_session *s, int reason)
{
    switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_BAD_RECORD_TYPE: /* OpenSSL 3.2 and later look at the type first */
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
        return s->established ? POP3_TLS_FAULT_PLAINTEXT : POP3_TLS_FAULT_NOT_TLS;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
        return POP3_TLS_FAULT_NOTHING_SHARED;
    default:
        return POP3_TLS_FAULT_OTHER;
    }
}

/* Describes an error of OpenSSL's library, whose own text does not help a user. */
static pop3_tls_fault describe(const p3_tls_session *s, unsigned long code, char *out, size_t size)
{
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
    int number = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
    const char *name = reason != NULL ? strstr(reason, "alert ") : NULL; /* "sslv3 alert ..." */
    pop3_tls_fault fault = fault_of_reason(s, number);
    const char *why = "TLS failed";
    if (fault == POP3_TLS_FAULT_PLAINTEXT)
        why = "data arrived that is not TLS: the server, or something in between, continued in "
              "the clear";
    else if (fault == POP3_TLS_FAULT_NOT_TLS)
        why = "the answer is not TLS";
    else if (fault == POP3_TLS_FAULT_NOTHING_SHARED)
        why = "no TLS version is supported by both sides";
    if (number >= SSL_AD_REASON_OFFSET && name != NULL) {
        fault = fault_of_alert(s, number - SSL_AD_REASON_OFFSET);
        snprintf(out, size, "the server ended TLS with the %s", name);
    } else if (reason != NULL) {
        snprintf(out, size, "%s (%s)", why, reason);
    } else {
        snprintf(out, size, "%s", why);
    }
    return fault;
}

/* The result of an operation that OpenSSL refused. */
static p3_tls_io explain(p3_tls_session *s, int result)
{
    int error = SSL_get_error(s->ssl, result);
    switch (error) {
    case SSL_ERROR_WANT_READ:
        return P3_TLS_IO_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return P3_TLS_IO_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return note_result(s, P3_TLS_IO_CLOSED, POP3_ERR_CLOSED,
                           "the server closed the connection");
    default:
        break;
    }
    unsigned long code = ERR_peek_error();
    if (s->status != POP3_OK && code == 0)
        return s->ended; /* OpenSSL reports the reason of a failure only once */
    s->verified = SSL_get_verify_result(s->ssl);
    if (!s->established && p3_tls_verifies(s->context) && s->verified != X509_V_OK) {
        p3_tls_explain_certificate(s->ssl, s->verified, s->name, s->error, sizeof s->error);
        s->status = POP3_ERR_CERTIFICATE;
        s->ended = P3_TLS_IO_FAILED;
        return s->ended;
    }
    /* An alert before the end says more than the end. */
    bool said = ERR_GET_LIB(code) == ERR_LIB_SSL &&
                ERR_GET_REASON(code) != SSL_R_UNEXPECTED_EOF_WHILE_READING;
    bool cut = s->wire.ended || s->wire.sys_errno == ECONNRESET || s->wire.sys_errno == EPIPE;
    if (cut && !said)
        return note_result(s, P3_TLS_IO_CLOSED, POP3_ERR_CLOSED,
                           s->established
                               ? "the connection was cut off without TLS's close_notify"
                               : "the server closed the connection during the TLS handshake");
    if (s->wire.sys_errno != 0 && !said)
        return note_result(s, P3_TLS_IO_FAILED, POP3_ERR_IO, strerror(s->wire.sys_errno));
    char why[300];
    s->why = describe(s, code, why, sizeof why);
    return note_result(s, P3_TLS_IO_FAILED, POP3_ERR_TLS, why);
}

/* Called before each operation of OpenSSL that transfers octets. */
static void begin_call(p3_tls_session *s)
{
    ERR_clear_error();
    s->wire.may_read = P3_TLS_CALL_READS;
}

p3_tls_io p3_tls_session_handshake(p3_tls_session *s)
{
    begin_call(s);
    int result = SSL_do_handshake(s->ssl);
    s->established = result == 1;
    p3_tls_io io = s->established ? P3_TLS_IO_OK : explain(s, result);
    ERR_clear_error();
    return io;
}

p3_tls_io p3_tls_session_read(p3_tls_session *s, char *buffer, size_t len, size_t *got)
{
    begin_call(s);
    int result = SSL_read_ex(s->ssl, buffer, len, got);
    if (result == 1)
        return P3_TLS_IO_OK;
    *got = 0;
    p3_tls_io io = explain(s, result);
    ERR_clear_error();
    return io;
}

p3_tls_io p3_tls_session_write(p3_tls_session *s, const char *data, size_t len, size_t *put)
{
    begin_call(s);
    int result = SSL_write_ex(s->ssl, data, len, put);
    if (result == 1)
        return P3_TLS_IO_OK;
    *put = 0;
    p3_tls_io io = explain(s, result);
    ERR_clear_error();
    return io;
}

pop3_status p3_tls_session_error(const p3_tls_session *s, const char **why, int *sys_errno)
{
    *why = s->error;
    *sys_errno = s->wire.sys_errno;
    return s->status;
}

pop3_certificate_fault p3_tls_session_fault(const p3_tls_session *s)
{
    switch (s->verified) {
    case X509_V_OK:
        return POP3_CERTIFICATE_GOOD;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return POP3_CERTIFICATE_UNTRUSTED;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return POP3_CERTIFICATE_NAME;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return POP3_CERTIFICATE_TIME;
    case X509_V_ERR_CERT_REJECTED: /* ours: see tls_verify.c */
        return POP3_CERTIFICATE_PIN;
    default:
        return POP3_CERTIFICATE_OTHER;
    }
}

pop3_tls_fault p3_tls_session_why(const p3_tls_session *s)
{
    return s->why;
}

const char *p3_tls_session_version(const p3_tls_session *s)
{
    return SSL_get_version(s->ssl);
}

const char *p3_tls_session_cipher(const p3_tls_session *s)
{
    return SSL_get_cipher_name(s->ssl);
}

/* RFC 9266 §4: octets that only the two ends of this connection can derive. Before TLS 1.3 they are
 * unique to this connection only with the extended master secret (RFC 7627). */
static size_t exporter(SSL *ssl, unsigned char *out)
{
    static const char label[] = "EXPORTER-Channel-Binding";
    bool own = SSL_version(ssl) >= TLS1_3_VERSION || SSL_get_extms_support(ssl) == 1;
    return own && SSL_export_keying_material(ssl, out, 32, label, sizeof label - 1,
                                             (const unsigned char *)"", 0, 1) == 1
               ? 32
               : 0;
}

/* RFC 5929 §4: the hash of the server's certificate, with the hash of its signature, but SHA-256
 * instead of MD5 and SHA-1. Undefined for signatures without a hash. */
static size_t end_point(SSL *ssl, unsigned char *out)
{
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    int hash = NID_undef;
    unsigned len = 0;
    if (certificate == NULL || X509_get_signature_info(certificate, &hash, NULL, NULL, NULL) != 1)
        return 0;
    if (hash == NID_md5 || hash == NID_sha1)
        hash = NID_sha256;
    const EVP_MD *digest = EVP_get_digestbynid(hash);
    return digest != NULL && X509_digest(certificate, digest, out, &len) == 1 ? len : 0;
}

/* RFC 5929 §3.1: the first Finished message of the handshake, which is the server's if the session
 * was resumed. Before TLS 1.3 it is unique to this connection only with the extended master secret.
 * RFC 8446 §C.5 does not define it for TLS 1.3, but servers (Cyrus) use the same messages; each is
 * a code over the whole handshake, with keys of this connection. */
static size_t first_finished(SSL *ssl, unsigned char *out)
{
    if (SSL_version(ssl) < TLS1_3_VERSION && SSL_get_extms_support(ssl) != 1)
        return 0;
    return SSL_session_reused(ssl) ? SSL_get_peer_finished(ssl, out, P3_TLS_BINDING)
                                   : SSL_get_finished(ssl, out, P3_TLS_BINDING);
}

const char *p3_tls_session_binding(const p3_tls_session *s, const char *type,
                                   unsigned char out[P3_TLS_BINDING], size_t *len)
{
    static const struct {
        const char *name;
        size_t (*find)(SSL *ssl, unsigned char *out);
        bool by_name; /* never the first choice: used only if it is named */
    } types[] = {
        {"tls-exporter", exporter, false},
        {"tls-server-end-point", end_point, false},
        {"tls-unique", first_finished, true},
    };
    const char *name = NULL;
    ERR_clear_error();
    for (size_t i = 0; name == NULL && i < sizeof types / sizeof types[0]; i++) {
        if (type == NULL ? types[i].by_name : strcmp(type, types[i].name) != 0)
            continue;
        *len = types[i].find(s->ssl, out);
        if (*len > 0 && *len <= P3_TLS_BINDING)
            name = types[i].name;
    }
    ERR_clear_error();
    return name;
}

bool p3_tls_session_blames_resumption(p3_tls_session *s)
{
    if (s->established || !s->offered || s->status == POP3_ERR_CERTIFICATE)
        return false;
    p3_tls_sessions_forbid(&s->context->sessions, s->name);
    return true;
}

bool p3_tls_session_resumed(const p3_tls_session *s)
{
    return SSL_session_reused(s->ssl) == 1;
}

bool p3_tls_session_pinned(const p3_tls_session *s)
{
    return s->context->policy.pin_count > 0 && s->context->policy.verify == NULL;
}

void p3_tls_session_farewell(p3_tls_session *s)
{
    ERR_clear_error();
    (void)SSL_shutdown(s->ssl); /* a courtesy: the server has answered QUIT already */
    ERR_clear_error();
}

void p3_tls_session_free(p3_tls_session *s)
{
    if (s == NULL)
        return;
    SSL_free(s->ssl);
    pop3_tls_free(s->context);
    free(s->name);
    free(s);
}
