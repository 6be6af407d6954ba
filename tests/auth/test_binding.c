/* SCRAM's binding to TLS against a verifier of its own: each type, a wrong one, a type the server
 * does not know, and the flag that tells of -PLUS taken out of the list. */
#define _POSIX_C_SOURCE 200809L
#include "peer.h"
#include "printing.h"
#include "support/suite.h"
#include "verifier.h"

#include <openssl/pem.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A server that verifies, and how. */
typedef struct service {
    peer_server server;
    verifier verifier;
    const char *offers;      /* what it announces, or what somebody in between lets through */
    int tls;                 /* greatest version; 0: TLS 1.3 */
    const char *certificate; /* the name of its files; NULL: "good" */
    const char *type;        /* of channel binding that it knows; NULL: none */
    const EVP_MD *hash;      /* tls-server-end-point's; NULL: SHA-256 */
    SSL_CTX *context;        /* of all its connections, so that they resume; or NULL */
    unsigned resumed;        /* connections */
    bool in_between;         /* the TLS connection is not the one that the client's ends in */
    const char *pin;         /* of its key, which the client is told; or NULL */
    char flag;               /* the client's last: n, y or p */
    char flags[16];          /* of all its attempts */
    bool logged_in;
    pop3_refusal refused;
    char said[400]; /* the client's sentence about what went wrong */
} service;

/* What the server's end of the connection is bound with. */
static void find_binding(service *s, SSL *ssl)
{
    verifier *v = &s->verifier;
    unsigned len = 0;
    v->binding_name = s->type;
    if (s->type == NULL)
        return;
    if (strcmp(s->type, "tls-exporter") == 0) {
        v->binding_len = 32;
        SSL_export_keying_material(ssl, v->binding, 32, "EXPORTER-Channel-Binding", 24,
                                   (const unsigned char *)"", 0, 1);
    } else if (strcmp(s->type, "tls-unique") == 0) {
        /* the first Finished message: the client's, or when a session is resumed the server's */
        v->binding_len = SSL_session_reused(ssl)
                             ? SSL_get_finished(ssl, v->binding, sizeof v->binding)
                             : SSL_get_peer_finished(ssl, v->binding, sizeof v->binding);
    } else {
        X509_digest(SSL_get_certificate(ssl), s->hash != NULL ? s->hash : EVP_sha256(), v->binding,
                    &len);
        v->binding_len = len;
    }
    if (s->in_between)
        v->binding[0] ^= 1;
}

/* Ends an exchange as RFC 5802 does: with server-error, then -ERR. */
static void refuse(peer *p, const char *error)
{
    char line[64];
    peer_say(p, "+ %s\r\n", verifier_error(error));
    if (peer_line(p, line, sizeof line))
        peer_say(p, "-ERR [AUTH] no\r\n");
}

static void authenticate(service *s, peer *p, const char *mechanism, const char *first)
{
    char line[2048];
    const char *error;
    verifier *v = &s->verifier;
    v->password = "pencil";
    v->sha_256 = strstr(mechanism, "256") != NULL;
    v->plus = strstr(mechanism, "-PLUS") != NULL;
    static const char flags[] = {['b'] = 'n', ['e'] = 'y', ['c'] = 'p'}; /* as base64 begins */
    v->said[0] = v->header[0] = v->nonce[0] = '\0';
    s->flag = first[0] == 'b' || first[0] == 'e' || first[0] == 'c' ? flags[(int)first[0]] : '?';
    if (strlen(s->flags) + 1 < sizeof s->flags)
        s->flags[strlen(s->flags)] = s->flag;
    const char *answer = verifier_first(v, first, &error);
    if (answer != NULL) {
        peer_say(p, "+ %s\r\n", answer);
        answer = peer_line(p, line, sizeof line) ? verifier_final(v, line, &error) : NULL;
    }
    if (answer == NULL) {
        refuse(p, error);
        return;
    }
    peer_say(p, "+ %s\r\n", answer);
    if (!peer_line(p, line, sizeof line) || line[0] != '\0')
        return;
    s->logged_in = true;
    peer_say(p, "+OK\r\n");
    peer_mailbox(p);
}

static bool handshake(service *s, peer *p)
{
    char pem[40];
    char key[40];
    const char *name = s->certificate != NULL ? s->certificate : "good";
    if (s->context != NULL)
        return peer_accept(p, s->context);
    snprintf(pem, sizeof pem, "%s.pem", name);
    snprintf(key, sizeof key, "%s.key", name);
    return peer_tls(p, certificate(pem), certificate(key), s->tls != 0 ? s->tls : TLS1_3_VERSION);
}

static void serve_one(peer *p, void *ctx)
{
    service *s = ctx;
    char line[2048];
    char mechanism[64];
    char first[1024];
    if (!handshake(s, p))
        return;
    s->resumed += SSL_session_reused(p->ssl) != 0;
    find_binding(s, p->ssl);
    peer_say(p, "+OK ready\r\n");
    if (!peer_line(p, line, sizeof line))
        return;
    peer_say(p, "+OK\r\nSASL %s\r\n.\r\n", s->offers);
    s->logged_in = false;
    while (!s->logged_in && peer_line(p, line, sizeof line) &&
           sscanf(line, "AUTH %63s %1023s", mechanism, first) == 2)
        authenticate(s, p, mechanism, first);
    (void)SSL_shutdown(p->ssl); /* a session that ends without it is not resumed */
}

/* Logs in. `type` is the one to bind with, `mechanism` the one to use; or NULL. */
static pop3_status log_in(fixture *f, service *s, const char *mechanism, const char *type)
{
    char file[64];
    pop3_tls_options trust = POP3_TLS_OPTIONS_INIT;
    pop3_tls *tls;
    snprintf(file, sizeof file, "%s.pem",
             s->certificate != NULL && strcmp(s->certificate, "ed25519") == 0 ? "ed25519" : "ca");
    trust.ca_file = certificate(file); /* all are made here, not in the thread */
    trust.pinned_key = s->pin;
    assert_int_equal(pop3_tls_new(&tls, &trust, NULL, 0), POP3_OK);
    peer_start(&s->server, serve_one, s);
    f->options.host = "127.0.0.1";
    f->options.port = s->server.port;
    f->options.security = POP3_SECURITY_TLS;
    f->options.timeout_ms = PROCESS_PATIENCE;
    f->options.tls = tls;
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    o.user = "user";
    o.password = "pencil";
    o.mechanism = mechanism;
    o.channel_binding = type;
    pop3_client *c = client_connected(f);
    pop3_tls_free(tls);
    pop3_status status = pop3_login(c, &o);
    snprintf(s->said, sizeof s->said, "%s", pop3_client_error(c)->message);
    s->refused = pop3_client_error(c)->refused;
    pop3_client_close(c);
    peer_stop(&s->server);
    return status;
}

static void told(const service *s, const char *part)
{
    if (strstr(s->said, part) == NULL)
        fail_msg("%s", s->said);
}

static void bound_with(const fixture *f, const char *type)
{
    assert_string_equal(pop3_login_outcome(f->client)->channel_binding, type);
}

#define OFFERS_ALL "SCRAM-SHA-1 SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-256-PLUS"

static const char *const plus[] = {"SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"};

static void the_login_is_bound(fixture *f, int version, const char *type, bool by_name)
{
    for (size_t i = 0; i < 2; i++) {
        service s = {.offers = OFFERS_ALL, .tls = version, .type = type};
        assert_status(POP3_OK, log_in(f, &s, plus[i], by_name ? type : NULL));
        assert_true(s.logged_in);
        assert_int_equal(s.flag, 'p');
        bound_with(f, type);
    }
}

static void scram_plus_is_bound_to_the_servers_certificate_when_that_is_named(void **state)
{
    the_login_is_bound(*state, TLS1_3_VERSION, "tls-server-end-point", true);
    the_login_is_bound(*state, TLS1_2_VERSION, "tls-server-end-point", true);
}

static void scram_plus_is_bound_by_the_exporter_unless_another_is_named(void **state)
{
    the_login_is_bound(*state, TLS1_3_VERSION, "tls-exporter", false);
    the_login_is_bound(*state, TLS1_2_VERSION, "tls-exporter", false);
    the_login_is_bound(*state, TLS1_3_VERSION, "tls-exporter", true);
}

/* Three connections that share sessions: each login is bound to its own. */
static void resumed_logins_are_bound(fixture *f, int version, const char *type)
{
    service s = {.offers = OFFERS_ALL, .type = type};
    s.context = peer_context(certificate("good.pem"), certificate("good.key"), version);
    assert_non_null(s.context);
    peer_start(&s.server, serve_one, &s);
    f->options.host = "127.0.0.1";
    f->options.port = s.server.port;
    f->options.tls = trusting(f);
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    o.user = "user";
    o.password = "pencil";
    o.channel_binding = type;
    for (int i = 0; i < 3; i++) {
        pop3_client *c = client_connected(f);
        assert_ok(c, pop3_login(c, &o));
        bound_with(f, type);
        assert_ok(c, pop3_client_quit(c));
    }
    peer_stop(&s.server);
    SSL_CTX_free(s.context);
    pop3_client_free(f->client);
    f->client = NULL;
    pop3_tls_free(f->trust); /* the next server is another */
    f->trust = NULL;
    assert_int_equal(s.resumed, 2);
}

static void a_login_over_a_resumed_session_is_bound_too(void **state)
{
    resumed_logins_are_bound(*state, TLS1_3_VERSION, "tls-exporter");
    resumed_logins_are_bound(*state, TLS1_3_VERSION, "tls-server-end-point");
    resumed_logins_are_bound(*state, TLS1_2_VERSION, "tls-exporter");
    resumed_logins_are_bound(*state, TLS1_2_VERSION, "tls-server-end-point");
    resumed_logins_are_bound(*state, TLS1_2_VERSION, "tls-unique");
}

static void the_certificates_hash_is_that_of_its_signature(void **state)
{
    fixture *f = *state;
    service s = {.offers = OFFERS_ALL, .type = "tls-server-end-point"};
    s.certificate = "sha384";
    s.hash = EVP_sha384();
    assert_status(POP3_OK, log_in(f, &s, NULL, "tls-server-end-point"));
    bound_with(f, "tls-server-end-point");
    service wrong = {.offers = OFFERS_ALL, .type = "tls-server-end-point"};
    wrong.certificate = "sha384";
    assert_status(POP3_ERR_REFUSED, log_in(f, &wrong, NULL, "tls-server-end-point"));
}

static void a_signature_without_a_hash_of_its_own_binds_nothing(void **state)
{
    fixture *f = *state;
    service s = {.offers = OFFERS_ALL, .certificate = "ed25519"};
    assert_status(POP3_OK, log_in(f, &s, NULL, "tls-server-end-point"));
    assert_string_equal(pop3_login_outcome(f->client)->mechanism, "SCRAM-SHA-256");
    bound_with(f, "");
    assert_int_equal(s.flag, 'n'); /* there is nothing to bind with */
}

static void a_type_that_the_connection_has_not_is_not_offered_by_name(void **state)
{
    fixture *f = *state;
    service s = {.offers = OFFERS_ALL, .type = "tls-exporter", .certificate = "ed25519"};
    assert_status(POP3_ERR_NOT_OFFERED,
                  log_in(f, &s, "SCRAM-SHA-256-PLUS", "tls-server-end-point"));
    told(&s, "channel binding of the type that the mechanism needs");
}

static void a_type_that_there_is_not_is_an_argument_error(void **state)
{
    fixture *f = *state;
    service s = {.offers = OFFERS_ALL};
    assert_status(POP3_ERR_ARGUMENT, log_in(f, &s, NULL, "tls-unknown"));
}

static void somebody_in_between_cannot_pass_a_bound_login_on(void **state)
{
    static const char *const types[] = {"tls-exporter", "tls-server-end-point", "tls-unique"};
    fixture *f = *state;
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < 2; k++) {
            service s = {.offers = OFFERS_ALL, .type = types[i], .in_between = true};
            assert_status(POP3_ERR_REFUSED, log_in(f, &s, plus[k], types[i]));
            told(&s, "(channel-bindings-dont-match)");
            assert_false(s.logged_in);
        }
    }
}

static void a_type_that_the_server_does_not_know_is_told(void **state)
{
    fixture *f = *state;
    service s = {.offers = OFFERS_ALL, .type = "tls-server-end-point"};
    assert_status(POP3_ERR_REFUSED, log_in(f, &s, NULL, "tls-exporter"));
    told(&s, "(unsupported-channel-binding-type)");
}

/* ---- after a binding was refused ---- */

static void the_next_type_is_tried_when_the_server_refuses_one(void **state)
{
    static const char *const types[] = {"tls-server-end-point", "tls-unique"};
    fixture *f = *state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION}; /* the latter as Cyrus 3.6 */
    for (size_t i = 0; i < 4; i++) {
        service s = {.offers = OFFERS_ALL, .tls = versions[i / 2], .type = types[i % 2]};
        assert_status(POP3_OK, log_in(f, &s, NULL, NULL));
        assert_string_equal(s.flags, i % 2 == 0 ? "pp" : "ppp");
        bound_with(f, types[i % 2]);
    }
}

static void a_server_that_binds_with_tls_unique_alone_is_remembered(void **state)
{
    fixture *f = *state;
    service first = {.offers = OFFERS_ALL, .type = "tls-unique"};
    assert_status(POP3_OK, log_in(f, &first, NULL, NULL));
    assert_int_equal(pop3_client_traits(f->client)->flags, POP3_TRAIT_BINDS_UNIQUE);
    f->options.traits = *pop3_client_traits(f->client);
    service again = {.offers = OFFERS_ALL, .type = "tls-unique"};
    assert_status(POP3_OK, log_in(f, &again, NULL, NULL));
    assert_string_equal(again.flags, "p");
    service mended = {.offers = OFFERS_ALL, .type = "tls-exporter"};
    assert_status(POP3_OK, log_in(f, &mended, NULL, NULL));
    assert_string_equal(mended.flags, "pp");
    bound_with(f, "tls-exporter");
    assert_int_equal(pop3_client_traits(f->client)->flags, 0);
}

static void a_server_that_announces_plus_and_has_none_gets_the_flag_that_says_so(void **state)
{
    fixture *f = *state;
    service s = {.offers = OFFERS_ALL};
    assert_status(POP3_OK, log_in(f, &s, NULL, NULL));
    assert_string_equal(s.flags, "pppy");
    assert_string_equal(pop3_login_outcome(f->client)->mechanism, "SCRAM-SHA-256");
    bound_with(f, "");
}

/* Somebody in between cannot pass a bound login on, and would like one that is not bound: the flag
 * tells the server, which knows its binding, and refuses. */
static void somebody_in_between_gains_nothing_by_refusing_bindings(void **state)
{
    fixture *f = *state;
    service s = {.offers = OFFERS_ALL, .type = "tls-exporter", .in_between = true};
    assert_status(POP3_ERR_REFUSED, log_in(f, &s, NULL, NULL));
    assert_string_equal(s.flags, "pppy");
    told(&s, "(server-does-support-channel-binding)");
    assert_int_equal(s.refused, POP3_REFUSED_BINDING);
}

static void where_the_key_is_pinned_the_login_may_do_without(void **state)
{
    fixture *f = *state;
    unsigned char digest[32];
    char pin[64] = "sha256//";
    FILE *file = fopen(certificate("good.pem"), "r");
    X509 *cert = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    assert_non_null(cert);
    fclose(file);
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    assert_int_equal(EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL), 1);
    EVP_EncodeBlock((unsigned char *)pin + 8, digest, 32);
    OPENSSL_free(der);
    X509_free(cert);
    service s = {.offers = OFFERS_ALL, .type = "tls-of-its-own", .pin = pin};
    assert_status(POP3_OK, log_in(f, &s, NULL, NULL));
    assert_string_equal(s.flags, "pppn");
}

static void a_binding_that_was_named_is_the_only_one_tried(void **state)
{
    fixture *f = *state;
    service s = {.offers = OFFERS_ALL, .type = "tls-server-end-point"};
    assert_status(POP3_ERR_REFUSED, log_in(f, &s, NULL, "tls-exporter"));
    assert_string_equal(s.flags, "p");
    service named = {.offers = OFFERS_ALL};
    assert_status(POP3_ERR_REFUSED, log_in(f, &named, "SCRAM-SHA-256-PLUS", NULL));
    assert_string_equal(named.flags, "ppp"); /* and never without */
}

/* The server has -PLUS, and somebody has taken it out of the list: the client, which could bind,
 * says so where it cannot be changed, and the server sees it. */
static void a_server_whose_plus_was_stripped_refuses(void **state)
{
    static const char *const names[] = {"SCRAM-SHA-1", "SCRAM-SHA-256"};
    fixture *f = *state;
    for (size_t i = 0; i < 2; i++) {
        service s = {.offers = names[i], .type = "tls-exporter"};
        assert_status(POP3_ERR_REFUSED, log_in(f, &s, NULL, NULL));
        told(&s, "(server-does-support-channel-binding)");
        assert_int_equal(s.flag, 'y');
    }
    service one = {.offers = "SCRAM-SHA-1-PLUS SCRAM-SHA-256", .type = "tls-exporter"};
    assert_status(POP3_ERR_REFUSED, log_in(f, &one, NULL, NULL));
    assert_int_equal(one.flag, 'y'); /* only the better one was taken out */
}

/* A login of many iterations takes many steps, each of which comes back at once. */
static void a_server_that_wants_many_iterations_holds_nobody_up(void **state)
{
    fixture *f = *state;
    service s = {.offers = "SCRAM-SHA-256"};
    s.verifier.iterations = 300000;
    peer_start(&s.server, serve_one, &s);
    f->options.host = "127.0.0.1";
    f->options.port = s.server.port;
    f->options.timeout_ms = 200000; /* where the processor is emulated */
    f->options.tls = trusting(f);
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    o.user = "user";
    o.password = "pencil";
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_login_start(c, &o, NULL));
    int at_once = 0;
    while (pop3_client_step(c) == POP3_PENDING) {
        pop3_waitable waits[POP3_MAX_WAITABLES];
        struct pollfd fds[POP3_MAX_WAITABLES];
        int most = pop3_client_deadline(c);
        at_once += most == 0;
        size_t n = pop3_client_waitables(c, waits, POP3_MAX_WAITABLES);
        for (size_t i = 0; i < n; i++)
            fds[i] = (struct pollfd){.fd = waits[i].fd, .events = POLLIN};
        (void)poll(fds, (nfds_t)n, most);
    }
    assert_int_equal(pop3_client_state(c), POP3_STATE_TRANSACTION);
    assert_true(at_once >= 300000 / 8192);
    pop3_client_close(c);
    peer_stop(&s.server);
}

static void a_server_without_plus_takes_the_login(void **state)
{
    fixture *f = *state;
    service s = {.offers = "SCRAM-SHA-256"};
    assert_status(POP3_OK, log_in(f, &s, NULL, NULL));
    assert_int_equal(s.flag, 'y');
    bound_with(f, "");
}

static void the_form_without_plus_can_be_named_where_plus_is_offered(void **state)
{
    fixture *f = *state;
    service s = {.offers = OFFERS_ALL, .type = "tls-exporter"};
    assert_status(POP3_OK, log_in(f, &s, "SCRAM-SHA-256", NULL));
    assert_int_equal(s.flag, 'n');
}

/* ---- examples/print_mailbox ---- */

static void prints_when_bound(const char *mechanism, const char *type)
{
    service s = {.offers = OFFERS_ALL, .type = type};
    char port[8];
    char ca[400];
    snprintf(ca, sizeof ca, "%s", certificate("ca.pem"));
    peer_start(&s.server, serve_one, &s);
    snprintf(port, sizeof port, "%u", s.server.port);
    const char *const arguments[] = {
        "--tls", "--ca-file", ca,   "--auth", mechanism, "--channel-binding",
        type,    "127.0.0.1", port, "user",   NULL};
    printing_succeeds(arguments, "pencil\n", PEER_MAIL);
    peer_stop(&s.server);
    assert_true(s.logged_in);
    assert_int_equal(s.flag, 'p');
}

static void print_mailbox_with_scram_sha_256_plus_bound_by_the_exporter(void **state)
{
    (void)state;
    prints_when_bound("SCRAM-SHA-256-PLUS", "tls-exporter");
}

static void print_mailbox_with_scram_sha_256_plus_bound_to_the_certificate(void **state)
{
    (void)state;
    prints_when_bound("SCRAM-SHA-256-PLUS", "tls-server-end-point");
}

static void print_mailbox_with_scram_sha_1_plus_bound_by_the_exporter(void **state)
{
    (void)state;
    prints_when_bound("SCRAM-SHA-1-PLUS", "tls-exporter");
}

static void print_mailbox_with_scram_sha_1_plus_bound_to_the_certificate(void **state)
{
    (void)state;
    prints_when_bound("SCRAM-SHA-1-PLUS", "tls-server-end-point");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scram_plus_is_bound_to_the_servers_certificate_when_that_is_named),
        cmocka_unit_test(scram_plus_is_bound_by_the_exporter_unless_another_is_named),
        cmocka_unit_test(a_login_over_a_resumed_session_is_bound_too),
        cmocka_unit_test(the_certificates_hash_is_that_of_its_signature),
        cmocka_unit_test(a_signature_without_a_hash_of_its_own_binds_nothing),
        cmocka_unit_test(a_type_that_the_connection_has_not_is_not_offered_by_name),
        cmocka_unit_test(a_type_that_there_is_not_is_an_argument_error),
        cmocka_unit_test(somebody_in_between_cannot_pass_a_bound_login_on),
        cmocka_unit_test(a_type_that_the_server_does_not_know_is_told),
        cmocka_unit_test(the_next_type_is_tried_when_the_server_refuses_one),
        cmocka_unit_test(a_server_that_binds_with_tls_unique_alone_is_remembered),
        cmocka_unit_test(a_server_that_announces_plus_and_has_none_gets_the_flag_that_says_so),
        cmocka_unit_test(somebody_in_between_gains_nothing_by_refusing_bindings),
        cmocka_unit_test(where_the_key_is_pinned_the_login_may_do_without),
        cmocka_unit_test(a_binding_that_was_named_is_the_only_one_tried),
        cmocka_unit_test(a_server_whose_plus_was_stripped_refuses),
        cmocka_unit_test(a_server_that_wants_many_iterations_holds_nobody_up),
        cmocka_unit_test(a_server_without_plus_takes_the_login),
        cmocka_unit_test(the_form_without_plus_can_be_named_where_plus_is_offered),
        cmocka_unit_test(print_mailbox_with_scram_sha_256_plus_bound_by_the_exporter),
        cmocka_unit_test(print_mailbox_with_scram_sha_256_plus_bound_to_the_certificate),
        cmocka_unit_test(print_mailbox_with_scram_sha_1_plus_bound_by_the_exporter),
        cmocka_unit_test(print_mailbox_with_scram_sha_1_plus_bound_to_the_certificate),
    };
    return run_suite("binding", tests, sizeof tests / sizeof *tests, NULL, 0);
}
