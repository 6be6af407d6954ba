/* Logging in to a real server, Dovecot, with each mechanism it has: through the library, and with
 * examples/print_mailbox as a user would. Started by dovecot.py, which says where the server is. */
#define _POSIX_C_SOURCE 200809L
#include "printing.h"
#include "support/text.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pop3/pop3.h>

static const char *setting(const char *name)
{
    const char *value = getenv(name);
    if (value == NULL) {
        fprintf(stderr, "%s is not set: run this through dovecot.py\n", name);
        exit(2);
    }
    return value;
}

/* A file with a token. Static storage. */
static const char *token_file(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", setting("POP3_TEST_TOKENS"), name);
    return path;
}

/* How a test connects. */
typedef enum way { PLAIN, STLS, TLS, TLS_WITH_CERTIFICATE } way;

static pop3_client *connected(way how)
{
    char why[300];
    pop3_tls *tls = NULL;
    pop3_tls_options t = POP3_TLS_OPTIONS_INIT;
    t.ca_file = setting("POP3_TEST_CA_FILE");
    if (how == TLS_WITH_CERTIFICATE) {
        t.certificate_file = setting("POP3_TEST_CLIENT_CERT");
        t.key_file = setting("POP3_TEST_CLIENT_KEY");
    }
    if (pop3_tls_new(&tls, &t, why, sizeof why) != POP3_OK)
        fail_msg("%s", why);
    pop3_client_options o = POP3_CLIENT_OPTIONS_INIT;
    bool at_once = how == TLS || how == TLS_WITH_CERTIFICATE;
    o.host = setting("POP3_TEST_HOST");
    o.port = (uint16_t)atoi(setting(at_once ? "POP3_TEST_TLS_PORT" : "POP3_TEST_PORT"));
    o.security = how == PLAIN ? POP3_SECURITY_PLAIN : POP3_SECURITY_TLS;
    if (how == STLS)
        o.security = POP3_SECURITY_STLS;
    o.tls = tls;
    pop3_client *c;
    assert_int_equal(pop3_client_new(&c, &o), POP3_OK);
    pop3_tls_free(tls);
    if (pop3_client_connect(c) != POP3_OK)
        fail_msg("%s", pop3_client_error(c)->message);
    return c;
}

/* Options for the test account with its password. */
static pop3_login_options with_password(const char *mechanism)
{
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    o.user = setting("POP3_TEST_USER");
    o.password = setting("POP3_TEST_PASSWORD");
    o.mechanism = mechanism;
    return o;
}

/* The account is open: its mail can be counted. Ends the session. */
static void is_open(pop3_client *c, pop3_status status, const char *mechanism)
{
    pop3_stat drop;
    if (status != POP3_OK)
        fail_msg("%s", pop3_client_error(c)->message);
    assert_string_equal(pop3_login_outcome(c)->mechanism, mechanism);
    assert_int_equal(pop3_client_state(c), POP3_STATE_TRANSACTION);
    assert_int_equal(pop3_client_stat(c, &drop), POP3_OK);
    assert_true(drop.count > 0);
    assert_int_equal(pop3_client_quit(c), POP3_OK);
    pop3_client_free(c);
}

/* What the mailbox holds: all messages, one after the other. */
static text expected_mail(void)
{
    struct dirent **names;
    text all = {0};
    int n = scandir(setting("POP3_TEST_MAIL_DIR"), &names, NULL, alphasort);
    assert_true(n > 2);
    for (int i = 0; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", setting("POP3_TEST_MAIL_DIR"), names[i]->d_name);
        if (names[i]->d_name[0] != '.') {
            text one = text_of_file(path);
            assert_non_null(one.data);
            text_add(&all, one.data, one.len);
            free(one.data);
        }
        free(names[i]);
    }
    free(names);
    return all;
}

/* Prints the mailbox with examples/print_mailbox, which must bring all of it. */
static void prints_the_mailbox(const char *const *options, const char *input, bool tls)
{
    const char *argv[20];
    size_t n = 0;
    while (*options != NULL)
        argv[n++] = *options++;
    if (tls) {
        argv[n++] = "--tls";
        argv[n++] = "--ca-file";
        argv[n++] = setting("POP3_TEST_CA_FILE");
    }
    argv[n++] = "localhost"; /* its key at Kerberos is in this name */
    argv[n++] = setting(tls ? "POP3_TEST_TLS_PORT" : "POP3_TEST_PORT");
    argv[n++] = setting("POP3_TEST_USER");
    argv[n] = NULL;
    text mail = expected_mail();
    printing_succeeds(argv, input, mail.data);
    free(mail.data);
}

static void works_with_password(const char *mechanism, way how)
{
    const char *options[] = {"--auth", mechanism, NULL};
    char input[300];
    pop3_login_options o = with_password(mechanism);
    pop3_client *c = connected(how);
    is_open(c, pop3_login(c, &o), mechanism);
    snprintf(input, sizeof input, "%s\n", setting("POP3_TEST_PASSWORD"));
    prints_the_mailbox(options, input, how != PLAIN);
}

static void works_with_token(const char *mechanism)
{
    const char *options[] = {"--auth", mechanism, "--token-file", token_file("valid"), NULL};
    text token = text_of_file(token_file("valid"));
    assert_non_null(token.data);
    token.data[strcspn(token.data, "\n")] = '\0';
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    o.user = setting("POP3_TEST_USER");
    o.token = token.data;
    o.mechanism = mechanism;
    pop3_client *c = connected(TLS);
    is_open(c, pop3_login(c, &o), mechanism);
    free(token.data);
    prints_the_mailbox(options, "", true);
}

static void plain_logs_in(void **state)
{
    (void)state;
    works_with_password("PLAIN", TLS);
}

static void login_logs_in(void **state)
{
    (void)state;
    works_with_password("LOGIN", TLS);
}

static void user_and_pass_log_in(void **state)
{
    (void)state;
    works_with_password("USER", STLS);
}

static void apop_logs_in(void **state)
{
    (void)state;
    works_with_password("APOP", PLAIN);
}

static void cram_md5_logs_in(void **state)
{
    (void)state;
    works_with_password("CRAM-MD5", PLAIN);
}

static void digest_md5_logs_in(void **state)
{
    (void)state;
    works_with_password("DIGEST-MD5", PLAIN);
}

static void scram_sha_1_logs_in(void **state)
{
    (void)state;
    works_with_password("SCRAM-SHA-1", PLAIN);
    works_with_password("SCRAM-SHA-1", TLS);
}

static void scram_sha_256_logs_in(void **state)
{
    (void)state;
    works_with_password("SCRAM-SHA-256", PLAIN);
    works_with_password("SCRAM-SHA-256", TLS);
}

/* Whether this server has SCRAM with channel binding, which it announces where there is TLS to bind
 * to: Dovecot 2.4. */
static bool server_binds(void)
{
    return strcmp(setting("POP3_TEST_BINDS"), "yes") == 0;
}

static void works_bound(const char *mechanism, way how)
{
    pop3_login_options o = with_password(mechanism);
    pop3_client *c = connected(how);
    pop3_status status = pop3_login(c, &o);
    assert_true(pop3_login_outcome(c)->server_proved);
    assert_string_equal(pop3_login_outcome(c)->channel_binding, "tls-exporter");
    is_open(c, status, mechanism);
}

static void scram_with_channel_binding_logs_in(const char *mechanism)
{
    works_bound(mechanism, TLS);
    works_bound(mechanism, STLS);
    works_with_password(mechanism, TLS);
}

static void scram_sha_1_plus_logs_in(void **state)
{
    (void)state;
    scram_with_channel_binding_logs_in("SCRAM-SHA-1-PLUS");
}

static void scram_sha_256_plus_logs_in(void **state)
{
    (void)state;
    scram_with_channel_binding_logs_in("SCRAM-SHA-256-PLUS");
}

/* What is picked where nothing is asked for. */
static const char *strongest(way how)
{
    return server_binds() && how != PLAIN ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256";
}

static void oauthbearer_logs_in(void **state)
{
    (void)state;
    works_with_token("OAUTHBEARER");
}

static void xoauth2_logs_in(void **state)
{
    (void)state;
    works_with_token("XOAUTH2");
}

static void external_logs_in_with_a_client_certificate(void **state)
{
    const char *options[] = {
        "--auth", "EXTERNAL",
        "--cert", setting("POP3_TEST_CLIENT_CERT"),
        "--key",  setting("POP3_TEST_CLIENT_KEY"),
        NULL,
    };
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    (void)state;
    pop3_client *c = connected(TLS_WITH_CERTIFICATE);
    is_open(c, pop3_login(c, &o), "EXTERNAL"); /* nothing else was given, so it is picked */
    prints_the_mailbox(options, "", true);
}

static void gssapi_logs_in_with_a_ticket(void **state)
{
    static const char *const options[] = {"--auth", "GSSAPI", NULL};
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    (void)state;
    o.mechanism = "GSSAPI";
    o.user = setting("POP3_TEST_USER");
    o.service_host = "localhost";
    pop3_client *c = connected(TLS);
    pop3_status status = pop3_login(c, &o);
    assert_true(pop3_login_outcome(c)->server_proved);
    is_open(c, status, "GSSAPI");
    prints_the_mailbox(options, "", true);
}

static void a_ticket_does_not_open_the_mailbox_of_another_user(void **state)
{
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    (void)state;
    o.mechanism = "GSSAPI";
    o.user = "another";
    o.service_host = "localhost";
    pop3_client *c = connected(TLS);
    assert_int_equal(pop3_login(c, &o), POP3_ERR_REFUSED);
    pop3_client_free(c);
}

static void the_strongest_is_picked(void **state)
{
    static const way ways[] = {PLAIN, STLS, TLS};
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        pop3_login_options o = with_password(NULL);
        pop3_client *c = connected(ways[i]);
        pop3_status status = pop3_login(c, &o);
        assert_true(pop3_login_outcome(c)->server_proved);
        is_open(c, status, strongest(ways[i]));
    }
}

static void a_wrong_password_is_refused_with_its_code(const char *mechanism)
{
    pop3_login_options o = with_password(mechanism);
    o.password = "not the password";
    pop3_client *c = connected(TLS);
    assert_int_equal(pop3_login(c, &o), POP3_ERR_REFUSED);
    assert_int_equal(pop3_client_error(c)->code, POP3_CODE_AUTH);
    assert_null(strstr(pop3_client_error(c)->message, o.password));
    /* The connection is good: the right one works. */
    o.password = setting("POP3_TEST_PASSWORD");
    is_open(c, pop3_login(c, &o), mechanism);
}

static void wrong_passwords_are_refused_with_their_code(void **state)
{
    (void)state;
    a_wrong_password_is_refused_with_its_code("SCRAM-SHA-256");
    if (server_binds())
        a_wrong_password_is_refused_with_its_code("SCRAM-SHA-256-PLUS");
    a_wrong_password_is_refused_with_its_code("CRAM-MD5");
    a_wrong_password_is_refused_with_its_code("PLAIN");
    a_wrong_password_is_refused_with_its_code("USER");
}

static void an_expired_token_is_refused(const char *mechanism, const char *report)
{
    text token = text_of_file(token_file("expired"));
    assert_non_null(token.data);
    token.data[strcspn(token.data, "\n")] = '\0';
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    o.user = setting("POP3_TEST_USER");
    o.token = token.data;
    o.mechanism = mechanism;
    pop3_client *c = connected(TLS);
    assert_int_equal(pop3_login(c, &o), POP3_ERR_REFUSED);
    assert_non_null(strstr(pop3_client_error(c)->message, report));
    assert_null(strstr(pop3_client_error(c)->message, token.data));
    pop3_client_free(c);
    free(token.data);
}

static void expired_tokens_are_refused_with_the_servers_report(void **state)
{
    (void)state;
    an_expired_token_is_refused("OAUTHBEARER", "(status invalid_token");
    an_expired_token_is_refused("XOAUTH2", "(status 401");
}

static void capabilities_are_asked_again_when_wanted(void **state)
{
    (void)state;
    pop3_login_options o = with_password(NULL);
    pop3_client *c = connected(TLS);
    assert_int_equal(pop3_login(c, &o), POP3_OK);
    assert_null(pop3_client_capabilities(c));
    assert_int_equal(pop3_client_quit(c), POP3_OK);
    if (pop3_client_connect(c) != POP3_OK)
        fail_msg("%s", pop3_client_error(c)->message);
    o.ask_capabilities = true;
    assert_int_equal(pop3_login(c, &o), POP3_OK);
    assert_non_null(pop3_client_capabilities(c));
    is_open(c, POP3_OK, strongest(TLS));
}

/* Dovecot asks for client certificates here, and fails when a session is offered to it: the client
 * notices, and connects without. */
static void a_second_connection_works_where_sessions_cannot_be_resumed(void **state)
{
    static const way ways[] = {STLS, TLS};
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        pop3_login_options o = with_password(NULL);
        pop3_client *c = connected(ways[i]);
        assert_int_equal(pop3_login(c, &o), POP3_OK);
        assert_int_equal(pop3_client_quit(c), POP3_OK);
        if (pop3_client_connect(c) != POP3_OK)
            fail_msg("%s", pop3_client_error(c)->message);
        assert_true(pop3_client_is_encrypted(c));
        is_open(c, pop3_login(c, &o), strongest(ways[i]));
    }
}

/* With an argument: what only a server with channel binding can show. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_logs_in),
        cmocka_unit_test(login_logs_in),
        cmocka_unit_test(user_and_pass_log_in),
        cmocka_unit_test(apop_logs_in),
        cmocka_unit_test(cram_md5_logs_in),
        cmocka_unit_test(digest_md5_logs_in),
        cmocka_unit_test(scram_sha_1_logs_in),
        cmocka_unit_test(scram_sha_256_logs_in),
        cmocka_unit_test(oauthbearer_logs_in),
        cmocka_unit_test(xoauth2_logs_in),
        cmocka_unit_test(external_logs_in_with_a_client_certificate),
        cmocka_unit_test(gssapi_logs_in_with_a_ticket),
        cmocka_unit_test(a_ticket_does_not_open_the_mailbox_of_another_user),
        cmocka_unit_test(the_strongest_is_picked),
        cmocka_unit_test(wrong_passwords_are_refused_with_their_code),
        cmocka_unit_test(expired_tokens_are_refused_with_the_servers_report),
        cmocka_unit_test(capabilities_are_asked_again_when_wanted),
        cmocka_unit_test(a_second_connection_works_where_sessions_cannot_be_resumed),
    };
    (void)argv;
    const struct CMUnitTest bound[] = {
        cmocka_unit_test(scram_sha_1_plus_logs_in),
        cmocka_unit_test(scram_sha_256_plus_logs_in),
    };
    if (argc == 1)
        return cmocka_run_group_tests_name("auth-dovecot", tests, NULL, NULL);
    if (!server_binds()) {
        puts("1..0 # SKIP this Dovecot has no SCRAM with channel binding");
        return 0;
    }
    return cmocka_run_group_tests_name("auth-dovecot-bound", bound, NULL, NULL);
}
