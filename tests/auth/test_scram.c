/* SCRAM against a server that has GNU SASL's server side, and against ones that cheat. */
#define _POSIX_C_SOURCE 200809L
#include "peer.h"
#include "support/suite.h"

#include <gsasl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How the server behaves. */
typedef enum manner {
    HONEST,
    WRONG_SIGNATURE, /* the proof is that of another password */
    NO_SIGNATURE,    /* +OK in place of the proof */
    EMPTY_SIGNATURE, /* a challenge without a proof */
    AN_ERROR,        /* e=invalid-proof, then -ERR */
    AN_ERROR_AND_OK, /* e=invalid-proof, then +OK */
    FEW_ITERATIONS,
    MANY_ITERATIONS,
    OTHER_NONCE, /* not the client's with more to it */
    NO_BASE64,
    REFUSES /* -ERR after the client's last message */
} manner;

typedef struct scram_server {
    peer_server server;
    manner how;
    const char *mechanisms; /* as announced */
    int tls;                /* greatest version, or 0 for none */
    const char *password;
    const char *ours;  /* what the client gives for it */
    const char *type;  /* of channel binding, when the client names one */
    char binding[128]; /* what the server binds to, in base64 */
    const char *binding_name;
    bool logged_in;
} scram_server;

static int provide(Gsasl *library, Gsasl_session *session, Gsasl_property property)
{
    const scram_server *s = gsasl_callback_hook_get(library);
    switch (property) {
    case GSASL_PASSWORD:
        gsasl_property_set(session, property, s->password);
        return GSASL_OK;
    case GSASL_CB_TLS_EXPORTER:
    case GSASL_CB_TLS_UNIQUE:
        if (s->binding_name == NULL ||
            strcmp(s->binding_name,
                   property == GSASL_CB_TLS_UNIQUE ? "tls-unique" : "tls-exporter") != 0)
            return GSASL_NO_CALLBACK;
        gsasl_property_set(session, property, s->binding);
        return GSASL_OK;
    default:
        return GSASL_NO_CALLBACK;
    }
}

/* RFC 9266 and RFC 5929, from the server's side. */
static void find_binding(scram_server *s, SSL *ssl)
{
    unsigned char raw[64];
    size_t len = 32;
    if (s->type == NULL) {
        s->binding_name = "tls-exporter";
        if (SSL_export_keying_material(ssl, raw, len, "EXPORTER-Channel-Binding", 24,
                                       (const unsigned char *)"", 0, 1) != 1)
            return;
    } else {
        s->binding_name = "tls-unique";
        len = SSL_get_peer_finished(ssl, raw, sizeof raw);
    }
    EVP_EncodeBlock((unsigned char *)s->binding, raw, (int)len);
}

/* Sends a challenge given as text. */
static bool challenge(peer *p, const char *message)
{
    char base64[2048];
    EVP_EncodeBlock((unsigned char *)base64, (const unsigned char *)message, (int)strlen(message));
    return peer_say(p, "+ %s\r\n", base64);
}

/* The client's nonce, out of its first message in base64. */
static void client_nonce(const char *first, char *nonce, size_t size)
{
    char *octets = NULL;
    char message[400];
    size_t len = 0;
    nonce[0] = '\0';
    if (gsasl_base64_from(first, strlen(first), &octets, &len) != GSASL_OK)
        return;
    snprintf(message, sizeof message, "%.*s", (int)len, octets);
    gsasl_free(octets);
    const char *at = strstr(message, ",r=");
    if (at != NULL)
        snprintf(nonce, size, "%s", at + 3);
}

/* The first challenge of a server that cheats there. */
static bool cheat_first(scram_server *s, peer *p, const char *first)
{
    char nonce[128];
    char message[400];
    const char *iterations = s->how == FEW_ITERATIONS ? "100" : "2000000000";
    client_nonce(first, nonce, sizeof nonce);
    if (s->how == NO_BASE64)
        return peer_say(p, "+ r=%s\r\n", nonce);
    if (s->how == OTHER_NONCE)
        snprintf(message, sizeof message, "r=%c%sabc,s=QSXCR+Q6sek8bf92,i=4096",
                 nonce[0] == 'A' ? 'B' : 'A', nonce + 1); /* but for one octet it would be */
    else
        snprintf(message, sizeof message, "r=%sabc,s=QSXCR+Q6sek8bf92,i=%s", nonce, iterations);
    return challenge(p, message);
}

/* What the server says once it has the client's proof. `final` is its own, in base64. */
static void finish(scram_server *s, peer *p, const char *final)
{
    char line[2048];
    switch (s->how) {
    case HONEST:
        s->logged_in = peer_say(p, "+ %s\r\n", final) && peer_line(p, line, sizeof line) &&
                       line[0] == '\0' && peer_say(p, "+OK\r\n");
        break;
    case WRONG_SIGNATURE:
        challenge(p, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=");
        break;
    case EMPTY_SIGNATURE:
        peer_say(p, "+ \r\n");
        break;
    case NO_SIGNATURE:
        peer_say(p, "+OK welcome\r\n");
        break;
    case AN_ERROR:
    case AN_ERROR_AND_OK:
        challenge(p, "e=invalid-proof");
        if (peer_line(p, line, sizeof line))
            peer_say(p, s->how == AN_ERROR ? "-ERR [AUTH] no\r\n" : "+OK welcome\r\n");
        break;
    default:
        peer_say(p, "-ERR [AUTH] no\r\n");
    }
    (void)peer_line(p, line, sizeof line); /* until the client has gone */
}

static void exchange(scram_server *s, peer *p, const char *mechanism, const char *first)
{
    Gsasl *library = NULL;
    Gsasl_session *session = NULL;
    char *out = NULL;
    char line[2048];
    if (gsasl_init(&library) != GSASL_OK)
        return;
    gsasl_callback_set(library, provide);
    gsasl_callback_hook_set(library, s);
    if (gsasl_server_start(library, mechanism, &session) != GSASL_OK ||
        gsasl_step64(session, first, &out) != GSASL_NEEDS_MORE) {
        peer_say(p, "-ERR [AUTH] no\r\n");
        (void)peer_line(p, line, sizeof line);
        goto done;
    }
    peer_say(p, "+ %s\r\n", out);
    gsasl_free(out);
    out = NULL;
    if (!peer_line(p, line, sizeof line))
        goto done;
    int rc = gsasl_step64(session, line, &out);
    if (rc == GSASL_OK || rc == GSASL_NEEDS_MORE) {
        finish(s, p, out);
    } else {
        peer_say(p, "-ERR [AUTH] no\r\n");
        (void)peer_line(p, line, sizeof line);
    }
done:
    gsasl_free(out);
    if (session != NULL)
        gsasl_finish(session);
    gsasl_done(library);
}

static void serve_scram(peer *p, void *ctx)
{
    scram_server *s = ctx;
    char line[2048];
    char mechanism[64];
    char first[1024];
    if (s->tls != 0) {
        if (!peer_tls(p, certificate("good.pem"), certificate("good.key"), s->tls))
            return;
        find_binding(s, p->ssl);
    }
    peer_say(p, "+OK ready\r\n");
    if (!peer_line(p, line, sizeof line) || strcmp(line, "CAPA") != 0)
        return;
    peer_say(p, "+OK\r\nSASL %s\r\n.\r\n", s->mechanisms);
    if (!peer_line(p, line, sizeof line) || sscanf(line, "AUTH %63s %1023s", mechanism, first) != 2)
        return;
    bool cheats_first = s->how == FEW_ITERATIONS || s->how == MANY_ITERATIONS ||
                        s->how == OTHER_NONCE || s->how == NO_BASE64;
    if (!cheats_first) {
        exchange(s, p, mechanism, first);
        return;
    }
    /* The client must give up; "*" and the connection's end are what is left to come. */
    if (cheat_first(s, p, first) && peer_line(p, line, sizeof line) && strcmp(line, "*") == 0)
        peer_say(p, "-ERR cancelled\r\n");
}

/* Logs in to such a server. */
static pop3_status log_in(fixture *f, scram_server *s, const char *mechanism)
{
    if (s->password == NULL)
        s->password = "pencil";
    certificate("good.pem"); /* made here, not in the thread */
    peer_start(&s->server, serve_scram, s);
    f->options.host = "127.0.0.1";
    f->options.port = s->server.port;
    f->options.security = s->tls != 0 ? POP3_SECURITY_TLS : POP3_SECURITY_PLAIN;
    f->options.timeout_ms = PROCESS_PATIENCE;
    f->options.connect_timeout_ms = PROCESS_PATIENCE;
    if (s->tls != 0)
        f->options.tls = trusting(f);
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    o.user = "user";
    o.password = s->ours != NULL ? s->ours : "pencil";
    o.mechanism = mechanism;
    o.channel_binding = s->type;
    pop3_client *c = client_connected(f);
    pop3_status status = pop3_login(c, &o);
    pop3_client_close(c);
    peer_stop(&s->server);
    return status;
}

static void fails(fixture *f, manner how, const char *part)
{
    static const char *const names[] = {"SCRAM-SHA-1", "SCRAM-SHA-256"};
    for (size_t i = 0; i < 2; i++) {
        scram_server s = {.how = how, .mechanisms = names[i]};
        assert_status(POP3_ERR_AUTHENTICATION, log_in(f, &s, NULL));
        assert_non_null(strstr(pop3_client_error(f->client)->message, part));
        assert_false(pop3_login_outcome(f->client)->server_proved);
    }
}

static void an_honest_server_lets_us_in_and_has_proved_itself(void **state)
{
    static const char *const names[] = {"SCRAM-SHA-1", "SCRAM-SHA-256"};
    fixture *f = *state;
    for (size_t i = 0; i < 2; i++) {
        scram_server s = {.mechanisms = names[i]};
        assert_status(POP3_OK, log_in(f, &s, NULL));
        assert_true(s.logged_in);
        assert_true(pop3_login_outcome(f->client)->server_proved);
    }
}

static void a_wrong_signature_is_a_failed_login(void **state)
{
    fails(*state, WRONG_SIGNATURE, "did not prove that it knows the password");
}

static void a_missing_signature_is_a_failed_login(void **state)
{
    fails(*state, NO_SIGNATURE, "without proving");
    fails(*state, EMPTY_SIGNATURE, "not one of this mechanism");
}

static void too_few_or_too_many_iterations_are_refused(void **state)
{
    fails(*state, FEW_ITERATIONS, "iteration count");
    fails(*state, MANY_ITERATIONS, "iteration count");
}

static void a_nonce_that_is_not_ours_is_refused(void **state)
{
    fails(*state, OTHER_NONCE, "does not begin with the client's");
}

static void a_first_challenge_without_base64_is_refused(void **state)
{
    fails(*state, NO_BASE64, "not base64");
}

static void the_servers_own_error_is_told(void **state)
{
    fixture *f = *state;
    scram_server s = {.how = AN_ERROR, .mechanisms = "SCRAM-SHA-256"};
    assert_status(POP3_ERR_REFUSED, log_in(f, &s, NULL));
    scram_server liar = {.how = AN_ERROR_AND_OK, .mechanisms = "SCRAM-SHA-256"};
    assert_status(POP3_ERR_AUTHENTICATION, log_in(f, &liar, NULL));
}

static void passwords_are_prepared_by_saslprep(void **state)
{
    fixture *f = *state;
    /* RFC 4013 §3: a soft hyphen goes, a Roman numeral becomes letters; a bell is not allowed. */
    scram_server s = {.mechanisms = "SCRAM-SHA-256", .password = "IXIV"};
    s.ours = "I\xc2\xadX\xe2\x85\xa3";
    assert_status(POP3_OK, log_in(f, &s, NULL));
    scram_server bell = {.mechanisms = "SCRAM-SHA-256", .ours = "\xc3\xa9\x07"};
    assert_status(POP3_ERR_ARGUMENT, log_in(f, &bell, NULL));
}

static void a_refusal_is_told(void **state)
{
    fixture *f = *state;
    scram_server s = {.how = REFUSES, .mechanisms = "SCRAM-SHA-256"};
    assert_status(POP3_ERR_REFUSED, log_in(f, &s, NULL));
    scram_server other = {.password = "another", .mechanisms = "SCRAM-SHA-256"};
    assert_status(POP3_ERR_REFUSED, log_in(f, &other, NULL));
}

static void the_login_is_bound_to_tls(fixture *f, int version, const char *type,
                                      const char *binding)
{
    static const char *const names[] = {"SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"};
    for (size_t i = 0; i < 2; i++) {
        char offer[100];
        snprintf(offer, sizeof offer, "PLAIN SCRAM-SHA-1 %s", names[i]);
        scram_server s = {.mechanisms = offer, .tls = version, .type = type};
        assert_status(POP3_OK, log_in(f, &s, NULL)); /* picked before those that are not bound */
        assert_true(s.logged_in);
        assert_string_equal(pop3_login_outcome(f->client)->mechanism, names[i]);
        assert_string_equal(pop3_login_outcome(f->client)->channel_binding, binding);
    }
}

static void scram_plus_is_bound_to_tls_1_3_by_its_exporter(void **state)
{
    the_login_is_bound_to_tls(*state, TLS1_3_VERSION, NULL, "tls-exporter");
}

static void scram_plus_is_bound_to_tls_1_2_by_its_exporter(void **state)
{
    the_login_is_bound_to_tls(*state, TLS1_2_VERSION, NULL, "tls-exporter");
}

static void scram_plus_is_bound_to_tls_1_2_by_its_finished_message_when_that_is_named(void **state)
{
    the_login_is_bound_to_tls(*state, TLS1_2_VERSION, "tls-unique", "tls-unique");
}

/* A server whose TLS connection is another than ours: somebody stands in between. */
static void serve_in_between(peer *p, void *ctx)
{
    scram_server *s = ctx;
    char line[2048];
    char mechanism[64];
    char first[1024];
    if (!peer_tls(p, certificate("good.pem"), certificate("good.key"), s->tls))
        return;
    s->binding_name = "tls-exporter";
    snprintf(s->binding, sizeof s->binding, "%s", "b3RoZXIgY29ubmVjdGlvbidzIGV4cG9ydGVyIHZhbHU=");
    peer_say(p, "+OK ready\r\n");
    if (!peer_line(p, line, sizeof line))
        return;
    peer_say(p, "+OK\r\nSASL SCRAM-SHA-256-PLUS\r\n.\r\n");
    if (peer_line(p, line, sizeof line) && sscanf(line, "AUTH %63s %1023s", mechanism, first) == 2)
        exchange(s, p, mechanism, first);
}

static void somebody_in_between_cannot_pass_a_bound_login_on(void **state)
{
    fixture *f = *state;
    scram_server s = {.tls = TLS1_3_VERSION, .password = "pencil"};
    certificate("good.pem");
    peer_start(&s.server, serve_in_between, &s);
    f->options.host = "127.0.0.1";
    f->options.port = s.server.port;
    f->options.tls = trusting(f);
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    o.user = "user";
    o.password = "pencil";
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
    assert_false(s.logged_in);
    pop3_client_close(c);
    peer_stop(&s.server);
}

static void without_tls_a_bound_method_is_not_offered(void **state)
{
    fixture *f = *state;
    scram_server s = {.mechanisms = "SCRAM-SHA-256-PLUS"};
    assert_status(POP3_ERR_NOT_OFFERED, log_in(f, &s, "SCRAM-SHA-256-PLUS"));
    scram_server both = {.mechanisms = "SCRAM-SHA-256-PLUS SCRAM-SHA-256"};
    assert_status(POP3_OK, log_in(f, &both, NULL));
    assert_string_equal(pop3_login_outcome(f->client)->mechanism, "SCRAM-SHA-256");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_server_lets_us_in_and_has_proved_itself),
        cmocka_unit_test(a_wrong_signature_is_a_failed_login),
        cmocka_unit_test(a_missing_signature_is_a_failed_login),
        cmocka_unit_test(too_few_or_too_many_iterations_are_refused),
        cmocka_unit_test(a_nonce_that_is_not_ours_is_refused),
        cmocka_unit_test(a_first_challenge_without_base64_is_refused),
        cmocka_unit_test(the_servers_own_error_is_told),
        cmocka_unit_test(passwords_are_prepared_by_saslprep),
        cmocka_unit_test(a_refusal_is_told),
        cmocka_unit_test(scram_plus_is_bound_to_tls_1_3_by_its_exporter),
        cmocka_unit_test(scram_plus_is_bound_to_tls_1_2_by_its_exporter),
        cmocka_unit_test(scram_plus_is_bound_to_tls_1_2_by_its_finished_message_when_that_is_named),
        cmocka_unit_test(somebody_in_between_cannot_pass_a_bound_login_on),
        cmocka_unit_test(without_tls_a_bound_method_is_not_offered),
    };
    return run_suite("scram", tests, sizeof tests / sizeof *tests, NULL, 0);
}
