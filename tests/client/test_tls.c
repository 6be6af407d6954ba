/* TLS: from the start and by STLS, what is verified, what is refused, and what the errors say. */
#define _POSIX_C_SOURCE 200809L
#include "support/suite.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Starts a server whose TLS port has one of the certificates, and points the fixture at it. */
static void play_tls(fixture *f, const char *name, const char *script)
{
    char pem[40];
    char key[40];
    snprintf(pem, sizeof pem, "%s.pem", name);
    snprintf(key, sizeof key, "%s.key", name);
    play(f, script, "--tls", "--cert", certificate(pem), "--key", certificate(key), NULL);
    f->options.port = f->server.tls_port;
    f->options.security = POP3_SECURITY_TLS;
    f->options.host = "localhost";
    f->options.tls = trusting(f);
}

/* Starts a server with a certificate for STLS, which is to be used before anything else. */
static void play_stls(fixture *f, const char *script)
{
    play(f, script, "--cert", certificate("good.pem"), "--key", certificate("good.key"), NULL);
    f->options.security = POP3_SECURITY_STLS;
    f->options.host = "localhost";
    f->options.tls = trusting(f);
}

/* Uses a context made with these options in place of the fixture's own. */
static void use_context(fixture *f, const pop3_tls_options *o)
{
    char why[300];
    pop3_tls_free(f->trust);
    f->trust = NULL;
    if (pop3_tls_new(&f->trust, o, why, sizeof why) != POP3_OK)
        fail_msg("%s", why);
    f->options.tls = f->trust;
}

/* The server's certificate must be refused with these words. */
static void refuse_certificate(fixture *f, const char *name, const char *first, const char *second)
{
    f->may_complain = true; /* its handshake fails */
    play_tls(f, name, "line '+OK'");
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_CERTIFICATE, pop3_client_connect(c));
    assert_error(c, POP3_ERR_CERTIFICATE, first);
    assert_error(c, POP3_ERR_CERTIFICATE, second);
    assert_false(pop3_client_is_encrypted(c));
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
}

static void tls_from_the_start_is_encrypted_before_the_greeting(void **state)
{
    fixture *f = *state;
    play_tls(f, "good", "line '+OK'; expect 'PASS secret'; line '+OK'; expect-eof");
    f->options.allow_plaintext_password = false;
    pop3_client *c = client_connected(f);
    assert_true(pop3_client_is_encrypted(c));
    assert_ok(c, pop3_client_pass(c, "secret"));
    assert_status(POP3_ERR_STATE, pop3_client_stls(c));
    pop3_client_close(c);
    assert_false(pop3_client_is_encrypted(c));
}

static void an_address_is_verified_as_well_as_a_name(void **state)
{
    fixture *f = *state;
    play_tls(f, "good", "line '+OK'; expect-eof");
    f->options.host = "127.0.0.1";
    client_connected(f);
}

static void a_certificate_with_its_chain_is_accepted(void **state)
{
    fixture *f = *state;
    play_tls(f, "chain", "line '+OK'; expect-eof");
    client_connected(f);
}

static void a_certificate_without_its_chain_is_refused(void **state)
{
    refuse_certificate(*state, "leaf", "TLS handshake: the certificate for localhost",
                       "issuer is CN = pop3-testserver intermediate CA");
}

static void a_self_signed_certificate_is_refused(void **state)
{
    refuse_certificate(*state, "selfsigned", "the certificate for localhost is not acceptable",
                       "self-signed certificate");
}

static void an_expired_certificate_is_refused_and_its_end_told(void **state)
{
    refuse_certificate(*state, "expired", "certificate has expired",
                       "it ended on Feb  1 00:00:00 2020");
}

static void a_certificate_from_the_future_is_refused_and_its_begin_told(void **state)
{
    refuse_certificate(*state, "notyet", "certificate is not yet valid",
                       "it begins on Jan  1 00:00:00 2048");
}

static void a_certificate_for_another_host_is_refused_and_both_names_told(void **state)
{
    refuse_certificate(*state, "wronghost", "the certificate is not for localhost",
                       "it is for DNS:other.invalid");
}

/* The certificate, which has 127.0.0.1 and ::1, must be refused for this address. */
static void refuse_address(fixture *f, const char *address)
{
    char first[100];
    pop3_tls_options o = POP3_TLS_OPTIONS_INIT;
    f->may_complain = true;
    play_tls(f, "good", "line '+OK'");
    o.ca_file = certificate("ca.pem");
    o.server_name = address;
    use_context(f, &o);
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_CERTIFICATE, pop3_client_connect(c));
    snprintf(first, sizeof first, "the certificate is not for %s: IP address mismatch", address);
    assert_error(c, POP3_ERR_CERTIFICATE, first);
    assert_error(c, POP3_ERR_CERTIFICATE, "IP Address:127.0.0.1");
}

static void a_certificate_for_another_ipv4_address_is_refused_and_both_told(void **state)
{
    refuse_address(*state, "127.0.0.9");
}

static void a_certificate_for_another_ipv6_address_is_refused_and_both_told(void **state)
{
    refuse_address(*state, "::9");
}

static void a_name_given_for_the_server_is_verified_and_sent(void **state)
{
    fixture *f = *state;
    play_tls(f, "wronghost", "line '+OK'; expect-eof");
    pop3_tls_options o = POP3_TLS_OPTIONS_INIT;
    o.ca_file = certificate("ca.pem");
    o.server_name = "other.invalid";
    use_context(f, &o);
    client_connected(f);
    char *log = server_log(&f->server);
    assert_non_null(strstr(log, "sni=other.invalid"));
    free(log);
}

static void any_certificate_is_accepted_only_by_the_dangerous_option(void **state)
{
    fixture *f = *state;
    play_tls(f, "selfsigned", "line '+OK'; expect-eof");
    pop3_tls_options o = POP3_TLS_OPTIONS_INIT;
    o.danger_accept_any_certificate = true;
    use_context(f, &o);
    client_connected(f);
}

static void the_systems_authorities_do_not_vouch_for_the_test_server(void **state)
{
    fixture *f = *state;
    f->may_complain = true;
    play_tls(f, "good", "line '+OK'");
    f->options.tls = NULL; /* the default */
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_CERTIFICATE, pop3_client_connect(c));
    assert_error(c, POP3_ERR_CERTIFICATE, "its issuer is CN = pop3-testserver CA");
}

static void a_server_of_old_tls_only_is_refused(void **state)
{
    fixture *f = *state;
    f->may_complain = true;
    play(f, "line '+OK'", "--tls", "--cert", certificate("good.pem"), "--key",
         certificate("good.key"), "--tls-max", "1.1", NULL);
    f->options.security = POP3_SECURITY_TLS;
    f->options.port = f->server.tls_port;
    f->options.tls = trusting(f);
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_TLS, pop3_client_connect(c));
    assert_error(c, POP3_ERR_TLS, "TLS handshake: ");
    assert_error(c, POP3_ERR_TLS, "protocol version");
}

static void the_least_version_can_be_raised(void **state)
{
    fixture *f = *state;
    f->may_complain = true;
    play(f, "line '+OK'", "--tls", "--cert", certificate("good.pem"), "--key",
         certificate("good.key"), "--tls-max", "1.2", NULL);
    f->options.security = POP3_SECURITY_TLS;
    f->options.port = f->server.tls_port;
    pop3_tls_options o = POP3_TLS_OPTIONS_INIT;
    o.ca_file = certificate("ca.pem");
    o.min_version = POP3_TLS_1_3;
    use_context(f, &o);
    assert_status(POP3_ERR_TLS, pop3_client_connect(client_new(f)));
}

static void tls_1_2_is_good_enough(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect-eof", "--tls", "--cert", certificate("good.pem"), "--key",
         certificate("good.key"), "--tls-max", "1.2", NULL);
    f->options.security = POP3_SECURITY_TLS;
    f->options.port = f->server.tls_port;
    f->options.tls = trusting(f);
    client_connected(f);
}

static void a_server_without_tls_on_its_port_is_a_tls_error(void **state)
{
    fixture *f = *state;
    f->may_complain = true;
    play(f, "line '+OK plain POP3 here'; expect-eof", NULL);
    f->options.security = POP3_SECURITY_TLS;
    f->options.tls = trusting(f);
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_TLS, pop3_client_connect(c));
    assert_error(c, POP3_ERR_TLS, "TLS handshake: ");
}

static void a_server_that_closes_in_the_handshake_is_closed(void **state)
{
    fixture *f = *state;
    f->may_complain = true;
    play(f, "close", NULL);
    f->options.security = POP3_SECURITY_TLS;
    f->options.tls = trusting(f);
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_CLOSED, pop3_client_connect(c));
    assert_error(c, POP3_ERR_CLOSED, "closed the connection during the TLS handshake");
}

/* A server that asks for a certificate of the client's. */
static void play_with_client_certificates(fixture *f, const char *script, const char *max)
{
    f->may_complain = true;
    play(f, script, "--tls", "--cert", certificate("good.pem"), "--key", certificate("good.key"),
         "--client-ca", certificate("ca.pem"), "--tls-max", max, NULL);
    f->options.security = POP3_SECURITY_TLS;
    f->options.port = f->server.tls_port;
    f->options.tls = trusting(f);
}

static void a_client_certificate_is_shown(void **state)
{
    fixture *f = *state;
    play_with_client_certificates(f, "line '+OK'; expect-eof", "1.3");
    f->may_complain = false;
    pop3_tls_options o = POP3_TLS_OPTIONS_INIT;
    o.ca_file = certificate("ca.pem");
    o.certificate_file = certificate("client.pem");
    o.key_file = certificate("client.key");
    use_context(f, &o);
    client_connected(f);
}

static void without_a_client_certificate_the_servers_alert_is_told(void **state)
{
    fixture *f = *state;
    play_with_client_certificates(f, "line '+OK'",
                                  "1.3"); /* refuses after the client's handshake */
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_TLS, pop3_client_connect(c));
    assert_error(c, POP3_ERR_TLS, "alert certificate required");
}

static void without_a_client_certificate_tls_1_2_fails_in_the_handshake(void **state)
{
    fixture *f = *state;
    play_with_client_certificates(f, "line '+OK'", "1.2");
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_TLS, pop3_client_connect(c));
    assert_error(c, POP3_ERR_TLS, "TLS handshake: ");
}

/* These options must be refused with this sentence. */
static void refuse_context(const pop3_tls_options *o, const char *part)
{
    char why[300] = "";
    pop3_tls *tls = (pop3_tls *)(uintptr_t)1;
    assert_status(POP3_ERR_ARGUMENT, pop3_tls_new(&tls, o, why, sizeof why));
    assert_null(tls);
    if (strstr(why, part) == NULL)
        fail_msg("\"%s\" is not in: %s", part, why);
}

static void tls_options_of_another_version_are_understood(void **state)
{
    (void)state;
    pop3_tls *tls = NULL;
    struct {
        pop3_tls_options known;
        void *added;
    } newer = {POP3_TLS_OPTIONS_INIT, NULL};
    newer.known.size = sizeof newer;
    newer.known.ca_file = "/no/such/file"; /* understood, so that this is what is wrong */
    refuse_context(&newer.known, "/no/such/file");
    newer.known.ca_file = certificate("ca.pem");
    assert_status(POP3_OK, pop3_tls_new(&tls, &newer.known, NULL, 0));
    pop3_tls_free(tls);
    newer.added = &newer; /* something that we do not know is asked for */
    refuse_context(&newer.known, "POP3_TLS_OPTIONS_INIT");
    size_t size = offsetof(pop3_tls_options, ciphers);
    pop3_tls_options older = newer.known;
    older.size = size;
    memset((char *)&older + size, 0xff, sizeof older - size); /* is not of the struct */
    assert_status(POP3_OK, pop3_tls_new(&tls, &older, NULL, 0));
    pop3_tls_free(tls);
}

static void contexts_that_cannot_be_made_say_why(void **state)
{
    (void)state;
    pop3_tls_options o = POP3_TLS_OPTIONS_INIT;
    o.size = 1;
    refuse_context(&o, "size");
    o = (pop3_tls_options)POP3_TLS_OPTIONS_INIT;
    o.ca_file = "/no/such/file";
    refuse_context(&o, "cannot read certificate authorities from /no/such/file: No such file");
    o.ca_file = certificate("good.key");
    refuse_context(&o, "cannot read certificate authorities");
    o = (pop3_tls_options)POP3_TLS_OPTIONS_INIT;
    o.key_file = certificate("client.key");
    refuse_context(&o, "without its certificate");
    o.certificate_file = certificate("good.pem");
    refuse_context(&o, "the private key");
    o.certificate_file = certificate("client.pem");
    o.key_file = certificate("client-enc.key"); /* there is nobody to ask for the pass phrase */
    refuse_context(&o, "cannot read the private key");
    o = (pop3_tls_options)POP3_TLS_OPTIONS_INIT;
    o.min_version = (pop3_tls_version)9;
    refuse_context(&o, "unknown TLS version");
    assert_status(POP3_ERR_ARGUMENT, pop3_tls_new(NULL, NULL, NULL, 0));
    assert_status(POP3_ERR_ARGUMENT, pop3_tls_wrap(NULL, NULL));
    pop3_tls_free(NULL);
}

static void many_contexts_can_be_made_in_one_process(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < 300; i++) { /* OpenSSL has 127 kinds of BIO to give away */
        pop3_tls *tls;
        pop3_tls_options o = POP3_TLS_OPTIONS_INIT;
        o.danger_accept_any_certificate = true;
        assert_status(POP3_OK, pop3_tls_new(&tls, &o, NULL, 0));
        pop3_tls_free(tls);
    }
    play_tls(f, "good", "line '+OK'; expect-eof");
    client_connected(f);
}

static void a_wrapped_context_keeps_its_own_settings(void **state)
{
    fixture *f = *state;
    play_tls(f, "selfsigned", "line '+OK'; expect-eof");
    SSL_CTX *theirs = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(theirs, SSL_VERIFY_NONE, NULL);
    pop3_tls_free(f->trust);
    assert_status(POP3_OK, pop3_tls_wrap(&f->trust, theirs));
    SSL_CTX_free(theirs); /* it is counted */
    f->options.tls = f->trust;
    client_connected(f);
}

static void a_wrapped_context_that_verifies_checks_the_name_too(void **state)
{
    fixture *f = *state;
    f->may_complain = true;
    play_tls(f, "wronghost", "line '+OK'");
    SSL_CTX *theirs = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(theirs, SSL_VERIFY_PEER, NULL);
    assert_int_equal(SSL_CTX_load_verify_file(theirs, certificate("ca.pem")), 1);
    pop3_tls_free(f->trust);
    assert_status(POP3_OK, pop3_tls_wrap(&f->trust, theirs));
    SSL_CTX_free(theirs);
    f->options.tls = f->trust;
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_CERTIFICATE, pop3_client_connect(c));
    assert_error(c, POP3_ERR_CERTIFICATE, "not for localhost");
}

static void a_context_outlives_the_callers_own_reference(void **state)
{
    fixture *f = *state;
    play_tls(f, "good", "line '+OK'; expect-eof");
    pop3_client *c = client_new(f);
    pop3_tls_free(f->trust);
    f->trust = NULL;
    assert_ok(c, pop3_client_connect(c));
}

static void stls_protects_before_anything_else_is_sent(void **state)
{
    fixture *f = *state;
    play_stls(f, "line '+OK'; expect 'CAPA'; capa STLS TOP; expect 'STLS'; line '+OK begin'; tls\n"
                 "expect 'CAPA'; capa TOP UIDL; expect 'PASS secret'; line '+OK'; expect-eof");
    f->options.allow_plaintext_password = false;
    pop3_client *c = client_connected(f);
    assert_true(pop3_client_is_encrypted(c));
    const pop3_capabilities *caps = pop3_client_capabilities(c);
    assert_int_equal(caps->flags, POP3_CAP_TOP | POP3_CAP_UIDL);
    assert_ok(c, pop3_client_pass(c, "secret"));
}

static void stls_that_is_required_and_not_announced_ends_the_connection(void **state)
{
    fixture *f = *state;
    play_stls(f, "line '+OK'; expect 'CAPA'; capa TOP; expect-eof");
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_NOT_OFFERED, pop3_client_connect(c));
    assert_error(c, POP3_ERR_NOT_OFFERED, "does not announce STLS");
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
}

static void stls_that_is_required_from_a_server_without_capa_ends_the_connection(void **state)
{
    fixture *f = *state;
    play_stls(f, "line '+OK'; expect 'CAPA'; line '-ERR what?'; expect-eof");
    assert_status(POP3_ERR_NOT_OFFERED, pop3_client_connect(client_new(f)));
}

static void stls_that_is_required_and_refused_ends_the_connection(void **state)
{
    fixture *f = *state;
    play_stls(f, "line '+OK'; expect 'CAPA'; capa STLS; expect 'STLS'\n"
                 "line '-ERR [SYS/TEMP] no certificate today'; expect-eof");
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_REFUSED, pop3_client_connect(c));
    assert_error(c, POP3_ERR_REFUSED, "STLS: ");
    assert_string_equal(pop3_client_error(c)->server_text, "no certificate today");
    assert_int_equal(pop3_client_error(c)->code, POP3_CODE_SYS_TEMP);
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
}

static void stls_on_request_turns_tls_on(void **state)
{
    fixture *f = *state;
    play_stls(f, "line '+OK'; expect 'CAPA'; capa STLS; expect 'STLS'; line '+OK go ahead'; tls\n"
                 "expect 'CAPA'; capa UIDL; expect 'NOOP'; line '+OK'; expect-eof");
    f->options.security = POP3_SECURITY_PLAIN;
    pop3_client *c = client_connected(f);
    assert_false(pop3_client_is_encrypted(c));
    assert_ok(c, pop3_client_stls(c));
    assert_true(pop3_client_is_encrypted(c));
    assert_str(pop3_client_reply(c)->text, "go ahead");
    assert_true(pop3_capabilities_have(pop3_client_capabilities(c), "UIDL"));
    assert_ok(c, pop3_client_noop(c));
}

static void stls_on_request_that_is_not_announced_leaves_the_connection_good(void **state)
{
    fixture *f = *state;
    play_stls(f, "line '+OK'; expect 'CAPA'; capa TOP; expect 'NOOP'; line '+OK'; expect-eof");
    f->options.security = POP3_SECURITY_PLAIN;
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_NOT_OFFERED, pop3_client_stls(c));
    assert_status(POP3_ERR_NOT_OFFERED, pop3_client_stls(c)); /* now without asking */
    assert_ok(c, pop3_client_noop(c));
}

static void stls_on_request_that_is_refused_leaves_the_connection_good(void **state)
{
    fixture *f = *state;
    play_stls(f, "line '+OK'; expect 'CAPA'; capa STLS; expect 'STLS'; line '-ERR no'\n"
                 "expect 'NOOP'; line '+OK'; expect-eof");
    f->options.security = POP3_SECURITY_PLAIN;
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_REFUSED, pop3_client_stls(c));
    assert_false(pop3_client_reply(c)->ok);
    assert_str(pop3_client_reply(c)->text, "no");
    assert_ok(c, pop3_client_noop(c));
}

static void stls_after_login_is_a_state_error(void **state)
{
    fixture *f = *state;
    play_stls(f, "line '+OK'; expect 'PASS x'; line '+OK'; expect 'NOOP'; line '+OK'; expect-eof");
    f->options.security = POP3_SECURITY_PLAIN;
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_pass(c, "x"));
    assert_status(POP3_ERR_STATE, pop3_client_stls(c));
    assert_ok(c, pop3_client_noop(c));
}

static void replies_injected_before_tls_are_a_protocol_error(void **state)
{
    fixture *f = *state;
    f->may_complain = true; /* its handshake fails */
    play_stls(f, "line '+OK'; expect 'CAPA'; capa STLS; expect 'STLS'\n"
                 "send '+OK begin\\r\\n' '+OK injected\\r\\n'; tls; expect-eof");
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_PROTOCOL, pop3_client_connect(c));
    assert_error(c, POP3_ERR_PROTOCOL, "an attacker may be tampering");
}

static void a_certificate_is_verified_after_stls_too(void **state)
{
    fixture *f = *state;
    f->may_complain = true;
    play(f, "line '+OK'; expect 'CAPA'; capa STLS; expect 'STLS'; line '+OK'; tls", "--cert",
         certificate("expired.pem"), "--key", certificate("expired.key"), NULL);
    f->options.security = POP3_SECURITY_PLAIN;
    f->options.tls = trusting(f);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_CERTIFICATE, pop3_client_stls(c));
    assert_error(c, POP3_ERR_CERTIFICATE, "certificate has expired");
    assert_status(POP3_ERR_STATE, pop3_client_noop(c));
}

static void an_end_without_close_notify_within_a_body_is_no_whole_message(void **state)
{
    fixture *f = *state;
    text message = {0};
    play_tls(f, "good", "line '+OK'; expect 'RETR 1'; line '+OK'; line 'Subject: x'; close");
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_CLOSED, pop3_client_retr(c, 1, into_text, &message));
    assert_error(c, POP3_ERR_CLOSED,
                 "RETR 1: the connection was cut off without TLS's close_notify");
    assert_string_equal(message.data, "Subject: x\r\n");
    free(message.data);
}

static void a_proper_close_within_a_body_is_no_whole_message_either(void **state)
{
    fixture *f = *state;
    play_tls(f, "good", "line '+OK'; expect 'RETR 1'; line '+OK'; line 'Subject: x'");
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_CLOSED, pop3_client_retr(c, 1, NULL, NULL));
    assert_error(c, POP3_ERR_CLOSED, "RETR 1: the server closed the connection");
}

int main(void)
{
    const struct CMUnitTest once[] = {
        cmocka_unit_test(tls_from_the_start_is_encrypted_before_the_greeting),
        cmocka_unit_test(an_address_is_verified_as_well_as_a_name),
        cmocka_unit_test(a_certificate_with_its_chain_is_accepted),
        cmocka_unit_test(a_certificate_without_its_chain_is_refused),
        cmocka_unit_test(a_self_signed_certificate_is_refused),
        cmocka_unit_test(an_expired_certificate_is_refused_and_its_end_told),
        cmocka_unit_test(a_certificate_from_the_future_is_refused_and_its_begin_told),
        cmocka_unit_test(a_certificate_for_another_host_is_refused_and_both_names_told),
        cmocka_unit_test(a_certificate_for_another_ipv4_address_is_refused_and_both_told),
        cmocka_unit_test(a_certificate_for_another_ipv6_address_is_refused_and_both_told),
        cmocka_unit_test(a_name_given_for_the_server_is_verified_and_sent),
        cmocka_unit_test(any_certificate_is_accepted_only_by_the_dangerous_option),
        cmocka_unit_test(the_systems_authorities_do_not_vouch_for_the_test_server),
        cmocka_unit_test(a_server_of_old_tls_only_is_refused),
        cmocka_unit_test(the_least_version_can_be_raised),
        cmocka_unit_test(tls_1_2_is_good_enough),
        cmocka_unit_test(a_server_without_tls_on_its_port_is_a_tls_error),
        cmocka_unit_test(a_server_that_closes_in_the_handshake_is_closed),
        cmocka_unit_test(a_client_certificate_is_shown),
        cmocka_unit_test(without_a_client_certificate_the_servers_alert_is_told),
        cmocka_unit_test(without_a_client_certificate_tls_1_2_fails_in_the_handshake),
        cmocka_unit_test(tls_options_of_another_version_are_understood),
        cmocka_unit_test(contexts_that_cannot_be_made_say_why),
        cmocka_unit_test(many_contexts_can_be_made_in_one_process),
        cmocka_unit_test(a_wrapped_context_keeps_its_own_settings),
        cmocka_unit_test(a_wrapped_context_that_verifies_checks_the_name_too),
        cmocka_unit_test(a_context_outlives_the_callers_own_reference),
        cmocka_unit_test(stls_protects_before_anything_else_is_sent),
        cmocka_unit_test(stls_that_is_required_and_not_announced_ends_the_connection),
        cmocka_unit_test(stls_that_is_required_from_a_server_without_capa_ends_the_connection),
        cmocka_unit_test(stls_that_is_required_and_refused_ends_the_connection),
        cmocka_unit_test(stls_on_request_turns_tls_on),
        cmocka_unit_test(stls_on_request_that_is_not_announced_leaves_the_connection_good),
        cmocka_unit_test(stls_on_request_that_is_refused_leaves_the_connection_good),
        cmocka_unit_test(stls_after_login_is_a_state_error),
        cmocka_unit_test(replies_injected_before_tls_are_a_protocol_error),
        cmocka_unit_test(a_certificate_is_verified_after_stls_too),
        cmocka_unit_test(an_end_without_close_notify_within_a_body_is_no_whole_message),
        cmocka_unit_test(a_proper_close_within_a_body_is_no_whole_message_either),
    };
    return run_suite("tls", once, sizeof once / sizeof *once, NULL, 0);
}
