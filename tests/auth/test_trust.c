/* What a TLS context trusts beyond authorities: pinned keys, revocation lists, the application's
 * own judgement; and what else its options change: keys with pass phrases, ciphers, ALPN,
 * resumption, internationalized names. */
#define _DEFAULT_SOURCE     /* TIOCSCTTY */
#define _XOPEN_SOURCE   700 /* posix_openpt() */
#include "peer.h"
#include "support/suite.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A server with a certificate of make-certs.sh that greets, for `sessions` connections. */
static void greet(fixture *f, const char *name, const char *sessions)
{
    char pem[80];
    char key[80];
    snprintf(pem, sizeof pem, "%s.pem", name);
    snprintf(key, sizeof key, "%s.key", name);
    play(f, "line '+OK'; expect-eof", "--tls", "--cert", certificate(pem), "--key",
         certificate(key), "--max-sessions", sessions, NULL);
    f->options.security = POP3_SECURITY_TLS;
    f->options.port = f->server.tls_port;
    f->options.host = "localhost";
}

/* Options for a context that trusts the test CA. */
static pop3_tls_options trusting_the_authority(void)
{
    pop3_tls_options o = POP3_TLS_OPTIONS_INIT;
    o.ca_file = certificate("ca.pem");
    return o;
}

/* Makes the fixture's context. */
static void use(fixture *f, const pop3_tls_options *o)
{
    char why[300];
    if (pop3_tls_new(&f->trust, o, why, sizeof why) != POP3_OK)
        fail_msg("%s", why);
    f->options.tls = f->trust;
}

static void refuse(fixture *f, const char *part)
{
    f->may_complain = true; /* the script's handshake fails */
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_CERTIFICATE, pop3_client_connect(c));
    assert_error(c, POP3_ERR_CERTIFICATE, part);
}

/* The pin of a certificate's key, reckoned here, in both forms. */
static void pin_of(const char *name, char *base64, char *hex)
{
    FILE *file = fopen(certificate(name), "r");
    assert_non_null(file);
    X509 *cert = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    assert_non_null(cert);
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    unsigned char digest[32];
    assert_int_equal(EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL), 1);
    strcpy(base64, "sha256//");
    EVP_EncodeBlock((unsigned char *)base64 + 8, digest, 32);
    for (int i = 0; i < 32; i++)
        snprintf(hex + 3 * i, 4, "%02X:", digest[i]);
    hex[95] = '\0';
    OPENSSL_free(der);
    X509_free(cert);
}

/* ---- names (RFC 9525) ---- */

static void a_common_name_names_no_host(void **state)
{
    fixture *f = *state;
    pop3_tls_options o = trusting_the_authority();
    greet(f, "commonname", "1");
    use(f, &o);
    refuse(f, "no host, as it has no subject alternative name");
}

static void a_name_with_a_dot_in_front_is_none(void **state)
{
    (void)state;
    pop3_tls *tls;
    char why[200];
    pop3_tls_options o = trusting_the_authority();
    o.server_name = ".localhost";
    assert_status(POP3_ERR_ARGUMENT, pop3_tls_new(&tls, &o, why, sizeof why));
    assert_non_null(strstr(why, "not the name of a host"));
}

/* ---- pins ---- */

static void a_pinned_key_needs_no_authority(void **state)
{
    fixture *f = *state;
    char pin[64], hex[100], both[200];
    pop3_tls_options o = POP3_TLS_OPTIONS_INIT;
    greet(f, "selfsigned", "3");
    pin_of("selfsigned.pem", pin, hex);
    o.pinned_key = pin;
    use(f, &o);
    client_connected(f);
    pop3_tls_free(f->trust);
    o.pinned_key = hex;
    use(f, &o);
    client_connected(f);
    pop3_tls_free(f->trust);
    snprintf(both, sizeof both, "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=;%s", pin);
    o.pinned_key = both;
    use(f, &o);
    client_connected(f);
}

static void a_wrong_pin_is_refused_and_the_right_one_told(void **state)
{
    fixture *f = *state;
    char pin[64], hex[100], told[160];
    pop3_tls_options o = POP3_TLS_OPTIONS_INIT;
    greet(f, "good", "1");
    pin_of("good.pem", pin, hex);
    o.pinned_key = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    use(f, &o);
    snprintf(told, sizeof told, "the public key of localhost is not a pinned one; its pin is %s",
             pin);
    refuse(f, told);
}

static void a_pin_beside_an_authority_asks_for_both(void **state)
{
    fixture *f = *state;
    char pin[64], hex[100];
    pop3_tls_options o = trusting_the_authority();
    greet(f, "selfsigned", "1");
    pin_of("selfsigned.pem", pin, hex);
    o.pinned_key = pin;
    use(f, &o);
    refuse(f, "self-signed");
}

static void a_good_chain_does_not_make_up_for_a_wrong_pin(void **state)
{
    fixture *f = *state;
    pop3_tls_options o = trusting_the_authority();
    greet(f, "good", "1");
    o.pinned_key = "0000000000000000000000000000000000000000000000000000000000000000";
    use(f, &o);
    refuse(f, "not a pinned one");
}

static void what_is_no_pin_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "sha256//",
        "sha256//AAAA",
        "sha1//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
        "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=;",
        "00",
        "000000000000000000000000000000000000000000000000000000000000000g",
        "00000000000000000000000000000000000000000000000000000000000000000",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        pop3_tls *tls;
        char why[300];
        pop3_tls_options o = POP3_TLS_OPTIONS_INIT;
        o.pinned_key = wrong[i];
        assert_status(POP3_ERR_ARGUMENT, pop3_tls_new(&tls, &o, why, sizeof why));
        assert_non_null(strstr(why, "is not a pin"));
    }
}

/* ---- revocation ---- */

static void a_revoked_certificate_is_refused(void **state)
{
    fixture *f = *state;
    pop3_tls_options o = trusting_the_authority();
    greet(f, "revoked", "1");
    o.crl_file = certificate("crl.pem");
    use(f, &o);
    refuse(f, "the certificate for localhost has been revoked");
}

static void a_certificate_that_is_not_revoked_is_accepted(void **state)
{
    fixture *f = *state;
    pop3_tls_options o = trusting_the_authority();
    greet(f, "good", "1");
    o.crl_file = certificate("crl.pem");
    use(f, &o);
    client_connected(f);
}

static void a_certificate_whose_issuer_has_no_list_is_refused(void **state)
{
    fixture *f = *state;
    pop3_tls_options o = trusting_the_authority();
    greet(f, "chain", "1");
    o.crl_file = certificate("crl.pem"); /* the root's; the leaf's issuer is the intermediate */
    use(f, &o);
    refuse(f, "unable to get certificate CRL");
}

/* ---- the application's judgement ---- */

typedef struct judge {
    bool verdict;
    unsigned asked;
    bool acceptable;
    size_t chain, errors;
    int first_error;
    char name[64];
    char pin[64];
} judge;

static bool decide(void *ctx, const pop3_verification *v)
{
    judge *j = ctx;
    j->asked++;
    j->acceptable = v->acceptable;
    j->chain = v->chain_count;
    j->errors = v->error_count;
    j->first_error = v->error_count > 0 ? v->errors[0].code : 0;
    snprintf(j->name, sizeof j->name, "%s", v->name);
    snprintf(j->pin, sizeof j->pin, "%s", v->pin);
    /* The chain is DER: it can be read. */
    for (size_t i = 0; i < v->chain_count; i++) {
        const unsigned char *at = (const unsigned char *)v->chain[i].data;
        X509 *cert = d2i_X509(NULL, &at, (long)v->chain[i].len);
        assert_non_null(cert);
        X509_free(cert);
    }
    return j->verdict;
}

static void the_application_may_accept_what_is_wrong(void **state)
{
    fixture *f = *state;
    char pin[64], hex[100];
    judge j = {.verdict = true};
    pop3_tls_options o = trusting_the_authority();
    greet(f, "expired", "1");
    o.verify = decide;
    o.verify_ctx = &j;
    use(f, &o);
    client_connected(f);
    pin_of("expired.pem", pin, hex);
    assert_int_equal(j.asked, 1);
    assert_false(j.acceptable);
    assert_int_equal(j.chain, 1);
    assert_int_equal(j.errors, 1);
    assert_int_equal(j.first_error, X509_V_ERR_CERT_HAS_EXPIRED);
    assert_string_equal(j.name, "localhost");
    assert_string_equal(j.pin, pin);
}

static void the_application_may_refuse_what_is_right(void **state)
{
    fixture *f = *state;
    judge j = {.verdict = false};
    pop3_tls_options o = trusting_the_authority();
    greet(f, "chain", "1");
    o.verify = decide;
    o.verify_ctx = &j;
    use(f, &o);
    refuse(f, "was not accepted by the application");
    assert_true(j.acceptable);
    assert_int_equal(j.chain, 2);
    assert_int_equal(j.errors, 0);
}

static void all_errors_are_shown_to_the_application(void **state)
{
    fixture *f = *state;
    judge j = {.verdict = false};
    pop3_tls_options o = trusting_the_authority();
    greet(f, "expired", "1");
    o.server_name = "elsewhere.example";
    o.verify = decide;
    o.verify_ctx = &j;
    use(f, &o);
    refuse(f, "not for elsewhere.example");
    assert_int_equal(j.errors, 2);
    assert_string_equal(j.name, "elsewhere.example");
}

/* ---- keys, ciphers, ALPN ---- */

typedef struct phrase {
    const char *value;
    unsigned asked;
} phrase;

static pop3_status give_phrase(void *ctx, const char *key_file, char *buffer, size_t size,
                               size_t *len)
{
    phrase *p = ctx;
    p->asked++;
    assert_non_null(strstr(key_file, "client-enc.key"));
    assert_true(size >= 1024);
    *len = strlen(p->value);
    memcpy(buffer, p->value, *len);
    return POP3_OK;
}

static void an_encrypted_key_is_opened_with_its_pass_phrase(void **state)
{
    fixture *f = *state;
    phrase p = {.value = "phrase"};
    pop3_tls_options o = trusting_the_authority();
    play(f, "line '+OK'; expect 'NOOP'; line '-ERR'; expect-eof", "--tls", "--cert",
         certificate("good.pem"), "--key", certificate("good.key"), "--client-ca",
         certificate("ca.pem"), NULL);
    f->options.security = POP3_SECURITY_TLS;
    f->options.port = f->server.tls_port;
    o.certificate_file = certificate("client.pem");
    o.key_file = certificate("client-enc.key");
    o.passphrase = give_phrase;
    o.passphrase_ctx = &p;
    use(f, &o);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_REFUSED, pop3_client_noop(c));
    assert_int_equal(p.asked, 1);
}

static void a_wrong_or_missing_pass_phrase_is_an_argument_error(void **state)
{
    phrase p = {.value = "not it"};
    pop3_tls *tls;
    char why[300];
    pop3_tls_options o = POP3_TLS_OPTIONS_INIT;
    (void)state;
    o.certificate_file = certificate("client.pem");
    o.key_file = certificate("client-enc.key");
    assert_status(POP3_ERR_ARGUMENT, pop3_tls_new(&tls, &o, why, sizeof why));
    assert_non_null(strstr(why, "cannot read the private key"));
    o.passphrase = give_phrase;
    o.passphrase_ctx = &p;
    assert_status(POP3_ERR_ARGUMENT, pop3_tls_new(&tls, &o, why, sizeof why));
    assert_null(strstr(why, "not it"));
}

/* Makes the end of a terminal this process's own, as a login would, and reads an encrypted key
 * without anybody to ask for its pass phrase. */
static int read_key_at_terminal(const char *terminal)
{
    pop3_tls *tls;
    pop3_tls_options o = POP3_TLS_OPTIONS_INIT;
    setsid();
    int fd = open(terminal, O_RDWR);
    if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) != 0)
        return 2;
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
        (void)dup2(fd, i);
    o.certificate_file = certificate("client.pem");
    o.key_file = certificate("client-enc.key");
    return pop3_tls_new(&tls, &o, NULL, 0) == POP3_ERR_ARGUMENT ? 0 : 1;
}

static void a_pass_phrase_is_not_asked_for_on_the_terminal(void **state)
{
    char said[100];
    int ended = -1;
    (void)state;
    (void)certificate("client-enc.key"); /* made by now */
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0);
    assert_int_equal(grantpt(terminal), 0);
    assert_int_equal(unlockpt(terminal), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(read_key_at_terminal(ptsname(terminal)));
    /* The child ends, which is an error to read, or asks. */
    struct pollfd asked = {.fd = terminal, .events = POLLIN};
    pid_t over = 0;
    while (over == 0 && poll(&asked, 1, 10) == 0)
        over = waitpid(pid, &ended, WNOHANG);
    ssize_t n = over == 0 ? read(terminal, said, sizeof said) : 0;
    if (n > 0)
        kill(pid, SIGKILL); /* it waits for an answer */
    if (over == 0)
        waitpid(pid, &ended, 0);
    close(terminal);
    assert_true(n <= 0);
    assert_int_equal(ended, 0);
}

/* Collects the notes of a trace. */
static void collect(void *ctx, pop3_trace_kind kind, const char *data, size_t len)
{
    if (kind == POP3_TRACE_NOTE) {
        text_add(ctx, data, len);
        text_add(ctx, "\n", 1);
    }
}

static void the_ciphers_can_be_chosen(void **state)
{
    fixture *f = *state;
    text notes = {0};
    pop3_tls_options o = trusting_the_authority();
    greet(f, "good", "1");
    f->options.engine.trace = collect;
    f->options.engine.trace_ctx = &notes;
    f->options.engine.trace_level = 1;
    o.ciphersuites = "TLS_CHACHA20_POLY1305_SHA256";
    use(f, &o);
    client_connected(f);
    assert_non_null(strstr(notes.data, "TLSv1.3 with TLS_CHACHA20_POLY1305_SHA256"));
    script_is_met(f);
    free(notes.data);
}

static void the_ciphers_of_tls_1_2_can_be_chosen(void **state)
{
    fixture *f = *state;
    text notes = {0};
    pop3_tls_options o = trusting_the_authority();
    play(f, "line '+OK'; expect-eof", "--tls", "--cert", certificate("good.pem"), "--key",
         certificate("good.key"), "--tls-max", "1.2", NULL);
    f->options.security = POP3_SECURITY_TLS;
    f->options.port = f->server.tls_port;
    f->options.engine.trace = collect;
    f->options.engine.trace_ctx = &notes;
    f->options.engine.trace_level = 1;
    o.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
    use(f, &o);
    client_connected(f);
    assert_non_null(strstr(notes.data, "TLSv1.2 with ECDHE-ECDSA-AES128-GCM-SHA256"));
    script_is_met(f);
    free(notes.data);
}

static void options_that_contradict_or_make_no_sense_are_refused(void **state)
{
    pop3_tls *tls;
    char why[300];
    (void)state;
    pop3_tls_options o = POP3_TLS_OPTIONS_INIT;
    o.ciphers = "NO-SUCH-CIPHER";
    assert_status(POP3_ERR_ARGUMENT, pop3_tls_new(&tls, &o, why, sizeof why));
    assert_non_null(strstr(why, "NO-SUCH-CIPHER"));
    o = (pop3_tls_options)POP3_TLS_OPTIONS_INIT;
    o.ciphersuites = "TLS_NO_SUCH";
    assert_status(POP3_ERR_ARGUMENT, pop3_tls_new(&tls, &o, why, sizeof why));
    o = (pop3_tls_options)POP3_TLS_OPTIONS_INIT;
    o.crl_file = "/nonexistent";
    assert_status(POP3_ERR_ARGUMENT, pop3_tls_new(&tls, &o, why, sizeof why));
    assert_non_null(strstr(why, "revocation lists"));
    o = (pop3_tls_options)POP3_TLS_OPTIONS_INIT;
    o.danger_accept_any_certificate = true;
    o.pinned_key = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    assert_status(POP3_ERR_ARGUMENT, pop3_tls_new(&tls, &o, why, sizeof why));
    o.danger_accept_any_certificate = false;
    o.crl_file = "/nonexistent";
    assert_status(POP3_ERR_ARGUMENT, pop3_tls_new(&tls, &o, why, sizeof why));
    assert_non_null(strstr(why, "with a pin"));
}

/* Remembers the protocol that was agreed upon. */
typedef struct alpn_server {
    peer_server server;
    char chosen[16];
} alpn_server;

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *len,
                           const unsigned char *in, unsigned n, void *ctx)
{
    alpn_server *s = ctx;
    (void)ssl;
    if (n < 1 || n < 1U + in[0] || in[0] >= sizeof s->chosen)
        return SSL_TLSEXT_ERR_NOACK;
    memcpy(s->chosen, in + 1, in[0]);
    *out = in + 1;
    *len = in[0];
    return SSL_TLSEXT_ERR_OK;
}

static void serve_alpn(peer *p, void *ctx)
{
    char line[64];
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate_chain_file(tls, certificate("good.pem"));
    SSL_CTX_use_PrivateKey_file(tls, certificate("good.key"), SSL_FILETYPE_PEM);
    SSL_CTX_set_alpn_select_cb(tls, choose_protocol, ctx);
    p->ssl = SSL_new(tls);
    SSL_CTX_free(tls);
    SSL_set_fd(p->ssl, p->fd);
    if (SSL_accept(p->ssl) == 1 && peer_say(p, "+OK\r\n"))
        (void)peer_line(p, line, sizeof line);
}

static void the_protocol_is_named_unless_it_shall_not_be(void **state)
{
    fixture *f = *state;
    alpn_server s = {.chosen = ""};
    pop3_tls_options o = trusting_the_authority();
    peer_start(&s.server, serve_alpn, &s);
    f->options.host = "127.0.0.1";
    f->options.port = s.server.port;
    use(f, &o);
    client_connected(f);
    assert_string_equal(s.chosen, "pop3");
    pop3_tls_free(f->trust);
    s.chosen[0] = '\0';
    o.no_alpn = true;
    use(f, &o);
    client_connected(f);
    assert_string_equal(s.chosen, "");
    pop3_client_close(f->client);
    peer_stop(&s.server);
}

/* ---- resumption ---- */

/* A server with one context for all its connections, as real ones have. */
typedef struct resuming_server {
    peer_server server;
    SSL_CTX *ctx;
    unsigned whole, resumed; /* handshakes */
    bool one_ticket;         /* the first connection gets one, later ones none */
} resuming_server;

static void serve_and_resume(peer *p, void *ctx)
{
    resuming_server *s = ctx;
    char line[64];
    if (s->one_ticket)
        SSL_CTX_set_num_tickets(s->ctx, s->whole == 0 ? 1 : 0);
    if (!peer_accept(p, s->ctx))
        return;
    if (SSL_session_reused(p->ssl))
        s->resumed++;
    else
        s->whole++;
    peer_say(p, "+OK\r\n");
    if (peer_line(p, line, sizeof line))
        peer_say(p, "+OK\r\n"); /* to QUIT */
    (void)SSL_shutdown(p->ssl);
}

static void begin_resuming(fixture *f, resuming_server *s, int version)
{
    s->ctx = peer_context(certificate("good.pem"), certificate("good.key"), version);
    assert_non_null(s->ctx);
    peer_start(&s->server, serve_and_resume, s);
    f->options.host = "127.0.0.1";
    f->options.port = s->server.port;
}

static void three_sessions(fixture *f)
{
    for (int i = 0; i < 3; i++) {
        pop3_client *c = client_connected(f); /* a client of its own each time */
        assert_ok(c, pop3_client_quit(c));
    }
}

static void end_resuming(resuming_server *s)
{
    peer_stop(&s->server);
    SSL_CTX_free(s->ctx);
}

static void connections_of_one_context_resume(fixture *f, int version)
{
    resuming_server s = {.whole = 0};
    pop3_tls_options o = trusting_the_authority();
    use(f, &o);
    begin_resuming(f, &s, version);
    three_sessions(f);
    end_resuming(&s);
    assert_int_equal(s.whole, 1);
    assert_int_equal(s.resumed, 2);
}

static void connections_of_one_context_resume_tls_1_3(void **state)
{
    connections_of_one_context_resume(*state, TLS1_3_VERSION);
}

static void a_ticket_of_tls_1_3_is_used_once(void **state)
{
    resuming_server s = {.one_ticket = true};
    pop3_tls_options o = trusting_the_authority();
    use(*state, &o);
    begin_resuming(*state, &s, TLS1_3_VERSION);
    three_sessions(*state);
    end_resuming(&s);
    assert_int_equal(s.whole, 2);
    assert_int_equal(s.resumed, 1);
}

static void connections_of_one_context_resume_tls_1_2(void **state)
{
    connections_of_one_context_resume(*state, TLS1_2_VERSION);
}

static void resumption_can_be_turned_off(void **state)
{
    fixture *f = *state;
    resuming_server s = {.whole = 0};
    pop3_tls_options o = trusting_the_authority();
    o.no_resumption = true;
    use(f, &o);
    begin_resuming(f, &s, TLS1_3_VERSION);
    three_sessions(f);
    end_resuming(&s);
    assert_int_equal(s.whole, 3);
}

static void a_session_is_not_resumed_under_another_name(void **state)
{
    fixture *f = *state;
    resuming_server s = {.whole = 0};
    pop3_tls_options o = trusting_the_authority();
    use(f, &o);
    begin_resuming(f, &s, TLS1_3_VERSION);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_quit(c));
    f->options.host = "localhost";
    c = client_connected(f);
    assert_ok(c, pop3_client_quit(c));
    end_resuming(&s);
    assert_int_equal(s.whole, 2);
}

static void a_server_that_cannot_resume_is_connected_to_without(void **state)
{
    fixture *f = *state;
    resuming_server s = {.whole = 0};
    pop3_tls_options o = trusting_the_authority();
    use(f, &o);
    begin_resuming(f, &s, TLS1_3_VERSION);
    /* Asking for client certificates without a session context makes OpenSSL fail at resumption. */
    SSL_CTX_set_verify(s.ctx, SSL_VERIFY_PEER, NULL);
    three_sessions(f);
    end_resuming(&s);
    assert_int_equal(s.whole, 3);
    assert_int_equal(s.resumed, 0);
}

/* ---- names ---- */

#ifdef P3_HAVE_IDN
static void an_internationalized_name_is_verified_in_its_ascii_form(void **state)
{
    fixture *f = *state;
    pop3_tls_options o = trusting_the_authority();
    greet(f, "good", "1");
    o.server_name = "post.b\xc3\xbc"
                    "cher.example";
    use(f, &o);
    refuse(f, "not for post.xn--bcher-kva.example");
}

static void an_internationalized_host_is_resolved_in_its_ascii_form(void **state)
{
    fixture *f = *state;
    f->options.host = "b\xc3\xbc"
                      "cher.invalid";
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_RESOLVE, pop3_client_connect(c));
    assert_error(c, POP3_ERR_RESOLVE, "xn--bcher-kva.invalid:995: resolving");
}
#endif

static void a_host_that_is_no_name_is_an_argument_error(void **state)
{
    static const char *const hosts[] = {
        "\xff\xfe.example",
        "\xe2\x98\x83..example",
        "",
        "a b.example",
        "a\r\n.example",
        "a\xc2\xa0"
        "b.example", /* a blank that does not break lines */
        "a\xef\xbc\x8f"
        "b.example", /* a slash of full width */
        "a\xef\xbc\x9a"
        "1.example", /* a colon of full width */
    };
    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        pop3_client_options o = POP3_CLIENT_OPTIONS_INIT;
        pop3_client *c;
        o.host = hosts[i];
        assert_status(POP3_ERR_ARGUMENT, pop3_client_new(&c, &o));
        pop3_tls *tls;
        char why[200];
        pop3_tls_options t = POP3_TLS_OPTIONS_INIT;
        t.server_name = hosts[i];
        assert_status(POP3_ERR_ARGUMENT, pop3_tls_new(&tls, &t, why, sizeof why));
        assert_non_null(strstr(why, "not the name of a host"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_common_name_names_no_host),
        cmocka_unit_test(a_name_with_a_dot_in_front_is_none),
        cmocka_unit_test(a_pinned_key_needs_no_authority),
        cmocka_unit_test(a_wrong_pin_is_refused_and_the_right_one_told),
        cmocka_unit_test(a_pin_beside_an_authority_asks_for_both),
        cmocka_unit_test(a_good_chain_does_not_make_up_for_a_wrong_pin),
        cmocka_unit_test(what_is_no_pin_is_refused),
        cmocka_unit_test(a_revoked_certificate_is_refused),
        cmocka_unit_test(a_certificate_that_is_not_revoked_is_accepted),
        cmocka_unit_test(a_certificate_whose_issuer_has_no_list_is_refused),
        cmocka_unit_test(the_application_may_accept_what_is_wrong),
        cmocka_unit_test(the_application_may_refuse_what_is_right),
        cmocka_unit_test(all_errors_are_shown_to_the_application),
        cmocka_unit_test(an_encrypted_key_is_opened_with_its_pass_phrase),
        cmocka_unit_test(a_wrong_or_missing_pass_phrase_is_an_argument_error),
        cmocka_unit_test(a_pass_phrase_is_not_asked_for_on_the_terminal),
        cmocka_unit_test(the_ciphers_can_be_chosen),
        cmocka_unit_test(the_ciphers_of_tls_1_2_can_be_chosen),
        cmocka_unit_test(options_that_contradict_or_make_no_sense_are_refused),
        cmocka_unit_test(the_protocol_is_named_unless_it_shall_not_be),
        cmocka_unit_test(connections_of_one_context_resume_tls_1_3),
        cmocka_unit_test(a_ticket_of_tls_1_3_is_used_once),
        cmocka_unit_test(connections_of_one_context_resume_tls_1_2),
        cmocka_unit_test(resumption_can_be_turned_off),
        cmocka_unit_test(a_session_is_not_resumed_under_another_name),
        cmocka_unit_test(a_server_that_cannot_resume_is_connected_to_without),
#ifdef P3_HAVE_IDN
        cmocka_unit_test(an_internationalized_name_is_verified_in_its_ascii_form),
        cmocka_unit_test(an_internationalized_host_is_resolved_in_its_ascii_form),
#endif
        cmocka_unit_test(a_host_that_is_no_name_is_an_argument_error),
    };
    return run_suite("trust", tests, sizeof tests / sizeof *tests, NULL, 0);
}
