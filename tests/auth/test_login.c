/* Logging in against a scripted server: what is picked, what is never sent, and all that can go
 * wrong on the way. */
#define _POSIX_C_SOURCE 200809L
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Options for a user with a password. */
static pop3_login_options with_password(const char *mechanism)
{
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    o.user = "tim";
    o.password = "tanstaaf";
    o.mechanism = mechanism;
    return o;
}

static pop3_login_options with_token(const char *mechanism)
{
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    o.user = "tim";
    o.token = "t0ken";
    o.mechanism = mechanism;
    return o;
}

/* A client of a server that plays a script, in the clear and under TLS. */
static pop3_client *in_the_clear(fixture *f, const char *script)
{
    play(f, script, NULL);
    return client_connected(f);
}

static pop3_client *under_tls(fixture *f, const char *script)
{
    f->tls = true;
    return in_the_clear(f, script);
}

static void picked(const pop3_client *c, const char *mechanism)
{
    assert_string_equal(pop3_login_outcome(c)->mechanism, mechanism);
}

/* ---- what is picked ---- */

static void scram_sha_256_is_preferred_to_all_others(void **state)
{
    pop3_login_options o = with_password(NULL);
    pop3_client *c = in_the_clear(
        *state, "line '+OK <1@h>'; expect 'CAPA'"
                "; capa 'USER' 'SASL PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 XOAUTH2'"
                "; expect-prefix 'AUTH SCRAM-SHA-256 '; line '-ERR [AUTH] no'; expect-eof");
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
    picked(c, "SCRAM-SHA-256");
}

static void scram_sha_1_comes_next(void **state)
{
    pop3_login_options o = with_password(NULL);
    pop3_client *c = in_the_clear(
        *state, "line '+OK <1@h>'; expect 'CAPA'; capa 'USER' 'SASL PLAIN CRAM-MD5 SCRAM-SHA-1'"
                "; expect-prefix 'AUTH SCRAM-SHA-1 '; line '-ERR [AUTH] no'; expect-eof");
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
    picked(c, "SCRAM-SHA-1");
}

static void plain_is_picked_under_tls(void **state)
{
    pop3_login_options o = with_password(NULL);
    pop3_client *c =
        under_tls(*state, "line '+OK <1@h>'; expect 'CAPA'; capa 'USER' 'SASL LOGIN PLAIN CRAM-MD5'"
                          "; expect 'AUTH PLAIN AHRpbQB0YW5zdGFhZg=='; line '+OK'; expect-eof");
    assert_ok(c, pop3_login(c, &o));
    picked(c, "PLAIN");
    assert_false(pop3_login_outcome(c)->server_proved);
}

static void cram_md5_is_picked_without_tls(void **state)
{
    pop3_login_options o = with_password(NULL);
    o.password = "tanstaaftanstaaf"; /* RFC 2195's example */
    pop3_client *c = in_the_clear(
        *state,
        "line '+OK <1896.697170952@postoffice.reston.mci.net>'; expect 'CAPA'"
        "; capa 'USER' 'SASL LOGIN PLAIN CRAM-MD5'; expect 'AUTH CRAM-MD5'"
        "; line '+ PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+'"
        "; expect 'dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw'; line '+OK'; expect-eof");
    assert_ok(c, pop3_login(c, &o));
    picked(c, "CRAM-MD5");
}

static void apop_is_picked_where_there_is_nothing_better_in_the_clear(void **state)
{
    pop3_login_options o = with_password(NULL);
    o.user = "mrose"; /* RFC 1939's example */
    o.password = "tanstaaf";
    pop3_client *c = in_the_clear(
        *state,
        "line '+OK <1896.697170952@dbc.mtview.ca.us>'; expect 'CAPA'; capa 'USER' 'SASL PLAIN'"
        "; expect 'APOP mrose c4c9334bac560ecc979e58001b3e22fb'; line '+OK'; expect-eof");
    assert_ok(c, pop3_login(c, &o));
    picked(c, "APOP");
}

static void a_token_goes_with_oauthbearer(void **state)
{
    fixture *f = *state;
    f->tls = true;
    f->options.host = "localhost";
    pop3_login_options o = with_token(NULL);
    pop3_client *c = in_the_clear(
        f, "line '+OK'; expect 'CAPA'; capa 'USER' 'SASL PLAIN XOAUTH2 OAUTHBEARER SCRAM-SHA-256'"
           "; expect-prefix 'AUTH OAUTHBEARER bixhPXRpbSwBaG9zdD1sb2NhbGhvc3QBcG9ydD'; line '+OK'"
           "; expect-eof");
    assert_ok(c, pop3_login(c, &o));
    picked(c, "OAUTHBEARER");
}

static void xoauth2_carries_user_and_token(void **state)
{
    pop3_login_options o = with_token(NULL);
    pop3_client *c = under_tls(
        *state,
        "line '+OK'; expect 'CAPA'; capa 'SASL XOAUTH2'"
        "; expect 'AUTH XOAUTH2 dXNlcj10aW0BYXV0aD1CZWFyZXIgdDBrZW4BAQ=='; line '+OK'; expect-eof");
    assert_ok(c, pop3_login(c, &o));
}

static void user_and_pass_are_tried_under_tls_though_unannounced(void **state)
{
    pop3_login_options o = with_password(NULL);
    pop3_client *c =
        under_tls(*state, "line '+OK'; expect 'CAPA'; capa 'TOP'; expect 'USER tim'; line '+OK'"
                          "; expect 'PASS tanstaaf'; line '+OK'; expect-eof");
    assert_ok(c, pop3_login(c, &o));
    picked(c, "USER");
}

static void a_server_without_capa_gets_user_and_pass_under_tls(void **state)
{
    pop3_login_options o = with_password(NULL);
    pop3_client *c = under_tls(
        *state, "line '+OK'; expect 'CAPA'; line '-ERR what?'; expect 'USER tim'; line '+OK'"
                "; expect 'PASS tanstaaf'; line '+OK'; expect-eof");
    assert_ok(c, pop3_login(c, &o));
}

static void login_answers_both_prompts(void **state)
{
    pop3_login_options o = with_password(NULL);
    pop3_client *c = under_tls(
        *state,
        "line '+OK'; expect 'CAPA'; capa 'SASL LOGIN'; expect 'AUTH LOGIN'"
        "; line '+ VXNlcm5hbWU6'; expect 'dGlt'; line '+ UGFzc3dvcmQ6'; expect 'dGFuc3RhYWY='"
        "; line '+OK'; expect-eof");
    assert_ok(c, pop3_login(c, &o));
    picked(c, "LOGIN");
}

static void known_capabilities_are_not_asked_again(void **state)
{
    pop3_login_options o = with_password(NULL);
    o.ask_capabilities = true;
    pop3_client *c = under_tls(
        *state, "line '+OK'; expect 'CAPA'; capa 'USER'; expect 'USER tim'; line '+OK'"
                "; expect-prefix 'PASS'; line '+OK'; expect 'CAPA'; capa 'UIDL'; expect-eof");
    assert_ok(c, pop3_client_capa(c, NULL));
    assert_ok(c, pop3_login(c, &o));
    assert_true(pop3_capabilities_have(pop3_client_capabilities(c), "UIDL"));
}

/* ---- what is never sent ---- */

static void no_password_is_sent_in_the_clear_unasked(void **state)
{
    pop3_login_options o = with_password(NULL);
    pop3_client *c = in_the_clear(
        *state, "line '+OK'; expect 'CAPA'; capa 'USER' 'SASL PLAIN LOGIN'; expect-eof");
    assert_status(POP3_ERR_INSECURE, pop3_login(c, &o));
    assert_int_equal(pop3_client_state(c), POP3_STATE_AUTHORIZATION);
    picked(c, "");
}

static void no_revealing_method_is_used_in_the_clear_by_name_either(void **state)
{
    static const char *const names[] = {"PLAIN", "LOGIN", "USER"};
    pop3_client *c = in_the_clear(*state, "line '+OK'; expect 'CAPA'; capa 'USER' 'SASL PLAIN "
                                          "LOGIN XOAUTH2 OAUTHBEARER'; expect-eof");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        pop3_login_options o = with_password(names[i]);
        assert_status(POP3_ERR_INSECURE, pop3_login(c, &o));
    }
    pop3_login_options xoauth2 = with_token("XOAUTH2");
    pop3_login_options bearer = with_token("oauthbearer");
    pop3_login_options any = with_token(NULL);
    assert_status(POP3_ERR_INSECURE, pop3_login(c, &xoauth2));
    assert_status(POP3_ERR_INSECURE, pop3_login(c, &bearer));
    assert_status(POP3_ERR_INSECURE, pop3_login(c, &any));
}

static void a_password_is_sent_in_the_clear_when_that_is_allowed(void **state)
{
    pop3_login_options o = with_password(NULL);
    o.allow_plaintext = true;
    pop3_client *c =
        in_the_clear(*state, "line '+OK'; expect 'CAPA'; capa 'USER' 'SASL PLAIN'"
                             "; expect 'AUTH PLAIN AHRpbQB0YW5zdGFhZg=='; line '+OK'; expect-eof");
    assert_ok(c, pop3_login(c, &o));
}

static void the_password_is_not_shown_to_the_server_when_the_policy_says_so(void **state)
{
    pop3_login_options o = with_password(NULL);
    o.policy = POP3_LOGIN_NEVER_REVEAL;
    pop3_client *c =
        under_tls(*state, "line '+OK'; expect 'CAPA'; capa 'USER' 'SASL PLAIN LOGIN'; expect-eof");
    assert_status(POP3_ERR_NOT_OFFERED, pop3_login(c, &o));
    o.mechanism = "PLAIN";
    assert_status(POP3_ERR_INSECURE, pop3_login(c, &o));
}

static void line_ends_in_names_and_secrets_are_refused(void **state)
{
    pop3_client *c = under_tls(*state, "line '+OK'; expect-eof");
    pop3_login_options o = with_password("USER");
    o.user = "tim\r\nDELE 1";
    assert_status(POP3_ERR_ARGUMENT, pop3_login(c, &o));
    o = with_password("USER");
    o.password = "x\nQUIT";
    assert_status(POP3_ERR_ARGUMENT, pop3_login(c, &o));
    o = with_password("PLAIN");
    o.authzid = "a\rb";
    assert_status(POP3_ERR_ARGUMENT, pop3_login(c, &o));
    o = with_password("NO\r\nSUCH");
    assert_status(POP3_ERR_ARGUMENT, pop3_login(c, &o));
    o = with_password("PLAIN");
    o.password = "\xff\xfe";
    assert_status(POP3_ERR_ARGUMENT, pop3_login(c, &o));
    o.size = 1;
    assert_status(POP3_ERR_ARGUMENT, pop3_login(c, &o));
}

static void login_options_of_another_version_are_understood(void **state)
{
    pop3_client *c = under_tls(*state, "line '+OK'; expect 'USER tim'; line '+OK'; expect 'PASS "
                                       "tanstaaf'; line '+OK'; expect-eof");
    size_t size = offsetof(pop3_login_options, service_host);
    pop3_login_options o = with_password("USER");
    struct {
        pop3_login_options known;
        void *added;
    } newer = {o, c}; /* something that we do not know is asked for */
    newer.known.size = sizeof newer;
    assert_status(POP3_ERR_ARGUMENT, pop3_login(c, &newer.known));
    assert_error(c, POP3_ERR_ARGUMENT, "POP3_LOGIN_OPTIONS_INIT");
    newer.added = NULL;
    newer.known.user = NULL; /* understood, so that this is what is wrong */
    assert_status(POP3_ERR_ARGUMENT, pop3_login(c, &newer.known));
    o.size = size;
    memset((char *)&o + size, 0xff, sizeof o - size); /* is not of the struct */
    assert_ok(c, pop3_login(c, &o));
}

static void a_token_with_a_control_octet_is_not_sent(void **state)
{
    pop3_login_options o = with_token(NULL);
    o.token = "tok\x01user=other";
    pop3_client *c =
        under_tls(*state, "line '+OK'; expect 'CAPA'; capa 'SASL XOAUTH2'; expect-eof");
    assert_status(POP3_ERR_ARGUMENT, pop3_login(c, &o));
    assert_error(c, POP3_ERR_ARGUMENT, "visible ASCII");
}

/* ---- methods that go missing ---- */

static void a_server_that_drops_methods_between_two_capas_is_an_error(void **state)
{
    pop3_login_options o = with_password(NULL);
    pop3_client *c = under_tls(
        *state, "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN SCRAM-SHA-256'; expect 'CAPA'"
                "; capa 'SASL PLAIN'; expect-eof");
    assert_ok(c, pop3_client_capa(c, NULL));
    assert_ok(c, pop3_client_capa(c, NULL));
    assert_status(POP3_ERR_AUTHENTICATION, pop3_login(c, &o));
    assert_error(c, POP3_ERR_AUTHENTICATION, "announced SCRAM-SHA-256 before");
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
}

static void methods_dropped_across_stls_are_an_error(void **state)
{
    fixture *f = *state;
    play(f,
         "line '+OK'; expect 'CAPA'; capa 'STLS' 'SASL SCRAM-SHA-1'; expect 'STLS'; line '+OK'; tls"
         "; expect 'CAPA'; capa 'USER' 'SASL PLAIN'; expect-eof",
         "--cert", certificate("good.pem"), "--key", certificate("good.key"), NULL);
    f->options.security = POP3_SECURITY_STLS;
    f->options.tls = trusting(f);
    pop3_login_options o = with_password(NULL);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_AUTHENTICATION, pop3_login(c, &o));
}

static void the_clear_texts_cram_md5_may_go_under_tls(void **state)
{
    fixture *f = *state;
    play(f,
         "line '+OK'; expect 'CAPA'; capa 'STLS' 'SASL CRAM-MD5'; expect 'STLS'; line '+OK'; tls"
         "; expect 'CAPA'; capa 'SASL PLAIN'; expect-prefix 'AUTH PLAIN '; line '+OK'; expect-eof",
         "--cert", certificate("good.pem"), "--key", certificate("good.key"), NULL);
    f->options.security = POP3_SECURITY_STLS;
    f->options.tls = trusting(f);
    pop3_login_options o = with_password(NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_login(c, &o));
}

static void a_method_taken_out_of_the_list_is_not_used_by_name(void **state)
{
    pop3_login_options o = with_password("SCRAM-SHA-256");
    pop3_client *c =
        in_the_clear(*state, "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN'; expect-eof");
    assert_status(POP3_ERR_NOT_OFFERED, pop3_login(c, &o));
    assert_error(c, POP3_ERR_NOT_OFFERED, "does not announce");
    o.mechanism = "NO-SUCH-METHOD";
    assert_status(POP3_ERR_NOT_OFFERED, pop3_login(c, &o));
    assert_error(c, POP3_ERR_NOT_OFFERED, "does not know");
    o.mechanism = "APOP";
    assert_status(POP3_ERR_NOT_OFFERED, pop3_login(c, &o));
    assert_error(c, POP3_ERR_NOT_OFFERED, "timestamp");
}

/* ---- refusals and their codes ---- */

static void refuse_with(fixture *f, const char *script, pop3_response_code code, const char *part)
{
    f->tls = true;
    play(f, script, NULL);
    pop3_login_options o = with_password(NULL);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
    assert_error(c, POP3_ERR_REFUSED, part);
    assert_int_equal(pop3_client_error(c)->code, code);
    assert_int_equal(pop3_client_state(c), POP3_STATE_AUTHORIZATION);
    assert_null(strstr(pop3_client_error(c)->message, "tanstaaf"));
}

static void a_refusal_of_auth_is_told_with_its_code(void **state)
{
    refuse_with(*state,
                "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN'; expect-prefix 'AUTH PLAIN '"
                "; line '-ERR [AUTH] invalid login'; expect-eof",
                POP3_CODE_AUTH, "logging in with PLAIN: the server refused [AUTH] invalid login");
}

static void a_refusal_of_user_is_told(void **state)
{
    refuse_with(*state,
                "line '+OK'; expect 'CAPA'; capa 'USER'; expect 'USER tim'; line '-ERR who?'"
                "; expect-eof",
                POP3_CODE_NONE, "logging in with USER: the server refused: who?");
}

static void a_refusal_of_pass_is_told(void **state)
{
    refuse_with(*state,
                "line '+OK'; expect 'CAPA'; capa 'USER'; expect 'USER tim'; line '+OK'"
                "; expect 'PASS tanstaaf'; line '-ERR [IN-USE] locked'; expect-eof",
                POP3_CODE_IN_USE, "[IN-USE] locked");
}

static void a_refusal_after_a_challenge_is_told(void **state)
{
    refuse_with(*state,
                "line '+OK'; expect 'CAPA'; capa 'SASL LOGIN'; expect 'AUTH LOGIN'"
                "; line '+ VXNlcm5hbWU6'; expect 'dGlt'; line '-ERR [SYS/TEMP] later'; expect-eof",
                POP3_CODE_SYS_TEMP, "[SYS/TEMP] later");
}

/* What a method says up to where it is refused. */
typedef struct refusal {
    const char *mechanism;
    const char *script;
} refusal;

static const refusal refusals[] = {
    {"APOP", "expect-prefix 'APOP tim '"},
    {"USER", "expect 'USER tim'"},
    {"USER", "expect 'USER tim'; line '+OK'; expect 'PASS tanstaaf'"},
    {"PLAIN", "expect 'AUTH PLAIN AHRpbQB0YW5zdGFhZg=='"},
    {"LOGIN", "expect 'AUTH LOGIN'"},
    {"LOGIN", "expect 'AUTH LOGIN'; line '+ '; expect 'dGlt'"},
    {"LOGIN", "expect 'AUTH LOGIN'; line '+ '; expect 'dGlt'; line '+ '; expect 'dGFuc3RhYWY='"},
    {"CRAM-MD5", "expect 'AUTH CRAM-MD5'"},
    {"CRAM-MD5", "expect 'AUTH CRAM-MD5'; line '+ PDFAaD4='; expect-any"},
    {"EXTERNAL", "expect 'AUTH EXTERNAL dGlt'"},
    {"SCRAM-SHA-1", "expect-prefix 'AUTH SCRAM-SHA-1 '"},
    {"SCRAM-SHA-256", "expect-prefix 'AUTH SCRAM-SHA-256 '"},
    {"OAUTHBEARER", "expect-prefix 'AUTH OAUTHBEARER '"},
    {"OAUTHBEARER", "expect-prefix 'AUTH OAUTHBEARER '; line '+ e30='; expect 'AQ=='"},
    {"XOAUTH2", "expect-prefix 'AUTH XOAUTH2 '"},
    {"XOAUTH2", "expect-prefix 'AUTH XOAUTH2 '; line '+ e30='; expect ''"},
    {"DIGEST-MD5", "expect 'AUTH DIGEST-MD5'"},
    {"DIGEST-MD5",
     "expect 'AUTH DIGEST-MD5'"
     "; line '+ bm9uY2U9IngiLHFvcD0iYXV0aCIsYWxnb3JpdGhtPW1kNS1zZXNzLGNoYXJzZXQ9dXRmLTg='"
     "; expect-any"},
    {"NTLM", "expect-prefix 'AUTH NTLM '"},
    {"NTLM",
     "expect-prefix 'AUTH NTLM '"
     "; line '+ TlRMTVNTUAACAAAADAAMADAAAAABAgEAASNFZ4mrze8AAAAAAAAAAAAAAAA8AAAARABvAG0AYQBpAG4A'"
     "; expect-any"},
};

static void a_refusal_at_each_step_of_each_method_leaves_the_connection_good(void **state)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const refusal *r = &refusals[i];
        char script[1000];
        pop3_login_options o = with_password(r->mechanism);
        o.token = "t0ken";
        bool sasl = strcmp(r->mechanism, "USER") != 0 && strcmp(r->mechanism, "APOP") != 0;
        if (!pop3_login_mechanism_known(r->mechanism))
            continue; /* a build without GNU SASL */
        snprintf(script, sizeof script,
                 "line '+OK <1@h>'; %s%s%s%s"
                 "; line '-ERR [AUTH] no'; expect 'NOOP'; line '+OK'; expect-eof",
                 sasl ? "expect 'CAPA'; capa 'USER' 'SASL " : "", sasl ? r->mechanism : "",
                 sasl ? "'; " : "", r->script);
        pop3_client *c = under_tls(*state, script);
        assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
        assert_int_equal(pop3_client_error(c)->code, POP3_CODE_AUTH);
        assert_int_equal(pop3_client_state(c), POP3_STATE_AUTHORIZATION);
        assert_ok(c, pop3_client_noop(c));
        script_is_met(*state);
    }
}

static void a_permanent_fault_is_told(void **state)
{
    refuse_with(*state,
                "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN'; expect-prefix 'AUTH PLAIN '"
                "; line '-ERR [SYS/PERM] gone'; expect-eof",
                POP3_CODE_SYS_PERM, "[SYS/PERM] gone");
}

static void a_login_delay_is_told_with_its_seconds(void **state)
{
    fixture *f = *state;
    refuse_with(f,
                "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN' 'LOGIN-DELAY 900'"
                "; expect-prefix 'AUTH PLAIN '; line '-ERR [LOGIN-DELAY] too soon'; expect-eof",
                POP3_CODE_LOGIN_DELAY, "too soon");
    assert_int_equal(pop3_client_error(f->client)->login_delay, 900);
}

static void one_refusal_is_not_followed_by_a_weaker_method(void **state)
{
    pop3_login_options o = with_password(NULL);
    pop3_client *c =
        under_tls(*state, "line '+OK'; expect 'CAPA'; capa 'USER' 'SASL PLAIN SCRAM-SHA-256'"
                          "; expect-prefix 'AUTH SCRAM-SHA-256 '; line '-ERR no'"
                          "; expect 'AUTH SCRAM-SHA-256'; line '-ERR no'; expect-eof");
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
    assert_int_equal(pop3_login_outcome(c)->attempts, 2);
}

/* ---- the error message of OAuth ---- */

static void xoauth2s_report_is_answered_and_decoded(void **state)
{
    fixture *f = *state;
    f->tls = true;
    /* {"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"} */
    pop3_login_options o = with_token(NULL);
    pop3_client *c = in_the_clear(
        f,
        "line '+OK'; expect 'CAPA'; capa 'SASL XOAUTH2'; expect-prefix 'AUTH XOAUTH2 '"
        "; line '+ eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29v"
        "Z2xlLmNvbS8ifQ=='; expect ''; line '-ERR bad credentials'; expect-eof");
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
    assert_error(c, POP3_ERR_REFUSED,
                 "(status 400, scope https://mail.google.com/, schemes Bearer): bad credentials");
    assert_int_equal(pop3_login_outcome(c)->attempts, 1);
}

/* A server that repeats what it was sent, in the clear or out of base64. */
static void repeats(fixture *f, pop3_login_options o, const char *script, const char *shown)
{
    pop3_client *c = under_tls(f, script);
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
    assert_error(c, POP3_ERR_REFUSED, shown);
    assert_null(strstr(pop3_client_error(c)->message, "tanstaa"));
    assert_null(strstr(pop3_client_error(c)->message, "dGFuc3"));
    assert_null(strstr(pop3_client_error(c)->message, "t0k"));
}

static void an_initial_response_that_is_repeated_shows_in_no_error(void **state)
{
    pop3_login_options o = with_password("PLAIN");
    o.password = "tanstaaf tanstaaf";
    repeats(*state, o,
            "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN'"
            "; expect 'AUTH PLAIN AHRpbQB0YW5zdGFhZiB0YW5zdGFhZg=='"
            "; line '-ERR [SYS/PERM] what is AUTH PLAIN AHRpbQB0YW5zdGFhZiB0YW5zdGFhZg==?'"
            "; expect-eof",
            "what is AUTH PLAIN ***");
}

static void a_response_that_is_repeated_shows_in_no_error(void **state)
{
    repeats(*state, with_password("LOGIN"),
            "line '+OK'; expect 'CAPA'; capa 'SASL LOGIN'; expect 'AUTH LOGIN'; line '+ '"
            "; expect 'dGlt'; line '+ '; expect 'dGFuc3RhYWY='"
            "; line '-ERR unknown command: dGFuc3RhYWY='; expect-eof",
            "unknown command: ***");
}

static void a_password_out_of_base64_that_is_repeated_shows_in_no_error(void **state)
{
    pop3_login_options o = with_password("LOGIN");
    o.password = "tanstaaf#1";
    repeats(*state, o,
            "line '+OK'; expect 'CAPA'; capa 'SASL LOGIN'; expect 'AUTH LOGIN'; line '+ '"
            "; expect 'dGlt'; line '+ '; expect-any"
            "; line '-ERR tim may not log in with tanstaaf#1!'; expect-eof",
            "tim may not log in with ***");
}

static void a_token_in_a_report_shows_in_no_error(void **state)
{
    repeats(*state, with_token("XOAUTH2"), /* {"status":"not t0ken"} */
            "line '+OK'; expect 'CAPA'; capa 'SASL XOAUTH2'; expect-prefix 'AUTH XOAUTH2 '"
            "; line '+ eyJzdGF0dXMiOiJub3QgdDBrZW4ifQ=='; expect ''; line '-ERR no'; expect-eof",
            "(status not ***): no");
}

static void oauthbearers_report_is_answered_with_a_control_octet(void **state)
{
    pop3_login_options o = with_token(NULL);
    pop3_client *c = under_tls(
        *state,
        "line '+OK'; expect 'CAPA'; capa 'SASL OAUTHBEARER'; expect-prefix 'AUTH OAUTHBEARER '"
        "; line '+ eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0='; expect 'AQ=='; line '-ERR no'; "
        "expect-eof");
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
    assert_error(c, POP3_ERR_REFUSED, "(status invalid_token)");
}

/* ---- the initial response ---- */

static void xoauth2_goes_in_two_lines_to_a_server_that_refuses_one(void **state)
{
    pop3_login_options o = with_token(NULL);
    pop3_client *c = under_tls(
        *state, "line '+OK'; expect 'CAPA'; capa 'SASL XOAUTH2'; expect-prefix 'AUTH XOAUTH2 '"
                "; line '-ERR Protocol error. 10'; expect 'AUTH XOAUTH2'; line '+ '"
                "; expect 'dXNlcj10aW0BYXV0aD1CZWFyZXIgdDBrZW4BAQ=='; line '+OK'; expect-eof");
    assert_ok(c, pop3_login(c, &o));
    assert_int_equal(pop3_login_outcome(c)->attempts, 2);
}

static void a_refused_credential_is_not_tried_in_two_lines(void **state)
{
    pop3_login_options o = with_token(NULL);
    pop3_client *c = under_tls(
        *state, "line '+OK'; expect 'CAPA'; capa 'SASL XOAUTH2'; expect-prefix 'AUTH XOAUTH2 '"
                "; line '-ERR [AUTH] no'; expect-eof");
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
}

static void the_initial_response_can_be_kept_out_of_the_command(void **state)
{
    pop3_login_options o = with_password(NULL);
    o.initial_response = POP3_INITIAL_RESPONSE_NEVER;
    pop3_client *c = under_tls(
        *state, "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN'; expect 'AUTH PLAIN'; line '+ '"
                "; expect 'AHRpbQB0YW5zdGFhZg=='; line '+OK'; expect-eof");
    assert_ok(c, pop3_login(c, &o));
}

static void a_long_initial_response_goes_on_a_line_of_its_own(void **state)
{
    char token[201];
    memset(token, 'x', 200);
    token[200] = '\0';
    pop3_login_options o = with_token(NULL);
    o.token = token;
    pop3_client *c = under_tls(
        *state, "line '+OK'; expect 'CAPA'; capa 'SASL XOAUTH2'; expect 'AUTH XOAUTH2'; line '+ '"
                "; expect-prefix 'dXNlcj10aW0BYXV0aD1CZWFyZXIgeHh4'; line '+OK'; expect-eof");
    assert_ok(c, pop3_login(c, &o));
}

/* Exchange Online's tokens are of some kilobytes. */
static void sends_a_token_of_16_kilobytes(fixture *f, const char *mechanism, const char *begins)
{
    enum { OCTETS = 16384 };
    static char token[OCTETS + 1];
    char script[300];
    memset(token, 'x', OCTETS);
    snprintf(script, sizeof script,
             "line '+OK'; expect 'CAPA'; capa 'SASL %s'; expect 'AUTH %s'; line '+ '"
             "; expect-prefix '%s'; line '+OK'; expect-eof",
             mechanism, mechanism, begins);
    pop3_login_options o = with_token(mechanism);
    o.token = token;
    f->options.host = "localhost";
    pop3_client *c = under_tls(f, script);
    assert_ok(c, pop3_login(c, &o));
}

static void a_token_of_16_kilobytes_goes_by_xoauth2(void **state)
{
    sends_a_token_of_16_kilobytes(*state, "XOAUTH2", "dXNlcj10aW0BYXV0aD1CZWFyZXIgeHh4");
}

static void a_token_of_16_kilobytes_goes_by_oauthbearer(void **state)
{
    sends_a_token_of_16_kilobytes(*state, "OAUTHBEARER", "bixhPXRpbSwBaG9zdD1sb2NhbGhvc3QBcG9ydD");
}

static void a_long_initial_response_stays_in_the_command_when_it_must(void **state)
{
    char token[201];
    memset(token, 'x', 200);
    token[200] = '\0';
    pop3_login_options o = with_token(NULL);
    o.token = token;
    o.initial_response = POP3_INITIAL_RESPONSE_ALWAYS;
    pop3_client *c = under_tls(
        *state,
        "line '+OK'; expect 'CAPA'; capa 'SASL XOAUTH2'"
        "; expect-prefix 'AUTH XOAUTH2 dXNlcj10aW0BYXV0aD1CZWFyZXIgeHh4'; line '+OK'; expect-eof");
    assert_ok(c, pop3_login(c, &o));
}

static void an_empty_initial_response_is_an_equals_sign(void **state)
{
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    pop3_client *c = under_tls(
        *state,
        "line '+OK'; expect 'CAPA'; capa 'SASL EXTERNAL PLAIN'; expect 'AUTH EXTERNAL ='; line "
        "'+OK'"
        "; expect-eof");
    assert_ok(c, pop3_login(c, &o));
    picked(c, "EXTERNAL");
}

/* ---- methods by name ---- */

static void gssapi_without_a_ticket_sends_nothing(void **state)
{
    fixture *f = *state;
    f->tls = true;
    f->options.host = "localhost";
    play(f, "line '+OK'; expect 'CAPA'; capa 'SASL GSSAPI'; expect 'NOOP'; line '-ERR'; expect-eof",
         NULL);
    setenv("KRB5CCNAME", "/nonexistent", 1);
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    o.user = "tim";
    o.mechanism = "GSSAPI";
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_NOT_OFFERED, pop3_login(c, &o));
    assert_status(POP3_ERR_REFUSED, pop3_client_noop(c));
}

/* ---- servers that misbehave ---- */

/* A server that never has enough. */
static pop3_client *log_in_endlessly(fixture *f, pop3_status expected)
{
    f->tls = true;
    f->may_complain = true;
    pop3_login_options o = with_password(NULL);
    pop3_client *c =
        in_the_clear(f, "line '+OK'; expect 'CAPA'; capa 'SASL LOGIN'; expect 'AUTH LOGIN'"
                        "; loop { line '+ VXNlcm5hbWU6'; expect-any }");
    assert_status(expected, pop3_login(c, &o));
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
    return c;
}

static void endless_challenges_end_with_the_method(void **state)
{
    pop3_client *c = log_in_endlessly(*state, POP3_ERR_AUTHENTICATION);
    assert_error(c, POP3_ERR_AUTHENTICATION, "a challenge that the mechanism does not have");
}

static void more_challenges_than_the_limit_end_the_connection(void **state)
{
    fixture *f = *state;
    f->options.engine.limits.challenges = 1;
    log_in_endlessly(f, POP3_ERR_LIMIT);
}

static void a_challenge_after_the_exchange_is_cancelled(void **state)
{
    pop3_login_options o = with_password(NULL);
    pop3_client *c = under_tls(
        *state, "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN'; expect-prefix 'AUTH PLAIN '"
                "; line '+ bW9yZQ=='; expect 'AHRpbQB0YW5zdGFhZg=='"
                "; line '+ bW9yZQ=='; expect '*'; line '-ERR cancelled'; expect-eof");
    assert_status(POP3_ERR_AUTHENTICATION, pop3_login(c, &o));
    assert_error(c, POP3_ERR_AUTHENTICATION, "a challenge that the mechanism does not have");
}

static void a_cancelled_exchange_that_succeeds_is_no_login(void **state)
{
    pop3_login_options o = with_password(NULL);
    pop3_client *c = under_tls(
        *state, "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN'; expect-prefix 'AUTH PLAIN '"
                "; line '+ bW9yZQ=='; expect 'AHRpbQB0YW5zdGFhZg=='"
                "; line '+ bW9yZQ=='; expect '*'; line '+OK welcome'; expect-eof");
    assert_status(POP3_ERR_AUTHENTICATION, pop3_login(c, &o));
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
}

static void a_challenge_that_is_not_base64_is_cancelled(void **state)
{
    pop3_login_options o = with_password(NULL);
    pop3_client *c =
        under_tls(*state, "line '+OK'; expect 'CAPA'; capa 'SASL CRAM-MD5'; expect 'AUTH CRAM-MD5'"
                          "; line '+ not base64!'; expect '*'; line '-ERR cancelled'; expect-eof");
    assert_status(POP3_ERR_AUTHENTICATION, pop3_login(c, &o));
    assert_error(c, POP3_ERR_AUTHENTICATION, "not base64");
}

static void a_challenge_of_a_megabyte_is_over_the_limit(void **state)
{
    fixture *f = *state;
    f->tls = true;
    f->may_complain = true;
    pop3_login_options o = with_password(NULL);
    pop3_client *c = in_the_clear(
        f, "line '+OK'; expect 'CAPA'; capa 'SASL LOGIN'; expect 'AUTH LOGIN'; send '+ '"
           "; fill 1M 'A'; send '\\r\\n'; expect-any");
    assert_status(POP3_ERR_LIMIT, pop3_login(c, &o));
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
}

static void scram_that_succeeds_without_a_proof_is_no_login(void **state)
{
    pop3_login_options o = with_password(NULL);
    pop3_client *c = under_tls(
        *state,
        "line '+OK'; expect 'CAPA'; capa 'SASL SCRAM-SHA-256'; expect-prefix 'AUTH SCRAM-SHA-256 '"
        "; line '+OK welcome'; expect-eof");
    assert_status(POP3_ERR_AUTHENTICATION, pop3_login(c, &o));
    assert_error(c, POP3_ERR_AUTHENTICATION, "without proving");
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
}

static void a_connection_lost_in_the_exchange_is_closed(void **state)
{
    pop3_login_options o = with_password(NULL);
    pop3_client *c = under_tls(
        *state,
        "line '+OK'; expect 'CAPA'; capa 'SASL LOGIN'; expect 'AUTH LOGIN'; line '+ VXNlcm5hbWU6'"
        "; expect 'dGlt'; close");
    assert_status(POP3_ERR_CLOSED, pop3_login(c, &o));
    assert_status(POP3_ERR_STATE, pop3_login(c, &o));
}

/* The connection ends where an answer is awaited: it is told once, whatever the method. */
static void ends_at(fixture *f, bool tls, const char *mechanism, const char *user,
                    const char *script)
{
    pop3_client *c = tls ? under_tls(f, script) : in_the_clear(f, script);
    pop3_login_options o = with_password(mechanism);
    o.user = user;
    o.allow_plaintext = true;
    assert_status(POP3_ERR_CLOSED, pop3_login(c, &o));
    script_is_met(f);
}

static void a_connection_lost_after_user_is_closed(void **state)
{
    ends_at(*state, true, NULL, "tim",
            "line '+OK'; expect 'CAPA'; capa 'USER'; expect 'USER tim'; close");
}

static void a_connection_lost_after_pass_is_closed(void **state)
{
    ends_at(*state, true, NULL, "tim",
            "line '+OK'; expect 'CAPA'; capa 'USER'; expect 'USER tim'; line '+OK'"
            "; expect 'PASS tanstaaf'; close");
}

static void a_connection_lost_after_utf8_is_closed(void **state)
{
    ends_at(*state, true, NULL, "t\xc3\xaem",
            "line '+OK'; expect 'CAPA'; capa 'USER' 'UTF8 USER'; expect 'UTF8'; close");
}

static void a_connection_lost_at_capa_is_closed(void **state)
{
    ends_at(*state, true, NULL, "tim", "line '+OK'; expect 'CAPA'; close");
}

static void a_connection_lost_at_capa_after_the_login_is_closed(void **state)
{
    pop3_client *c = under_tls(*state, "line '+OK'; expect 'CAPA'; capa 'USER'; expect 'USER tim'"
                                       "; line '+OK'; expect-prefix 'PASS '; line '+OK'"
                                       "; expect 'CAPA'; close");
    pop3_login_options o = with_password(NULL);
    o.ask_capabilities = true;
    assert_status(POP3_ERR_CLOSED, pop3_login(c, &o));
}

static void a_challenge_after_the_report_of_a_failure_is_cancelled(void **state)
{
    pop3_client *c = under_tls(
        *state, "line '+OK'; expect 'CAPA'; capa 'SASL OAUTHBEARER'; expect-prefix 'AUTH OAUTH'"
                "; line '+ eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0='; expect 'AQ=='"
                "; line '+ bW9yZQ=='; expect '*'; line '-ERR'; expect-eof");
    pop3_login_options o = with_token(NULL);
    assert_status(POP3_ERR_AUTHENTICATION, pop3_login(c, &o));
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
}

static void a_success_after_the_report_of_a_failure_is_taken(void **state)
{
    pop3_client *c = under_tls(
        *state, "line '+OK'; expect 'CAPA'; capa 'SASL XOAUTH2'; expect-prefix 'AUTH XOAUTH2'"
                "; line '+ eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0='; expect ''; line '+OK'"
                "; expect-eof");
    pop3_login_options o = with_token(NULL);
    assert_ok(c, pop3_login(c, &o));
}

static void a_refusal_with_a_code_or_of_the_only_form_is_not_tried_in_two_lines(void **state)
{
    fixture *f = *state;
    pop3_login_options o = with_token(NULL);
    pop3_client *c = under_tls(
        f, "line '+OK'; expect 'CAPA'; capa 'SASL XOAUTH2'; expect-prefix 'AUTH XOAUTH2 '"
           "; line '-ERR [SYS/TEMP] later'; expect-prefix 'AUTH XOAUTH2 '; line '-ERR what?'"
           "; expect-eof");
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
    assert_int_equal(pop3_login_outcome(c)->attempts, 1);
    o.initial_response = POP3_INITIAL_RESPONSE_ALWAYS;
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
    assert_int_equal(pop3_login_outcome(c)->attempts, 1);
}

static void a_code_that_is_not_known_is_tried_in_two_lines(void **state)
{
    pop3_login_options o = with_token(NULL);
    pop3_client *c = under_tls(
        *state, "line '+OK'; expect 'CAPA'; capa 'SASL XOAUTH2'; expect-prefix 'AUTH XOAUTH2 '"
                "; line '-ERR [WHAT] no'; expect 'AUTH XOAUTH2'; line '+ '; expect-any"
                "; line '-ERR no'; expect-eof");
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
    assert_int_equal(pop3_login_outcome(c)->attempts, 2);
}

static void a_server_that_falls_silent_is_timed_out(void **state)
{
    fixture *f = *state;
    f->tls = true;
    serve(f,
          "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN'; expect-prefix 'AUTH PLAIN '; expect-eof",
          NULL);
    f->options.timeout_ms = 50;
    pop3_login_options o = with_password(NULL);
    pop3_status status;
    do
        status = pop3_login(client_connected(f), &o);
    while (needs_more_time(f, status, "AUTH"));
    assert_error(f->client, POP3_ERR_TIMEOUT, "AUTH");
}

/* ---- where the secret comes from ---- */

typedef struct source {
    unsigned passwords, tokens;  /* how often each was asked for */
    pop3_status password, token; /* what is answered */
    const char *value;
} source;

static pop3_status from_source(void *ctx, pop3_secret_kind kind, const char *user, char *buffer,
                               size_t size, size_t *len)
{
    source *s = ctx;
    assert_string_equal(user, "tim");
    assert_int_equal(size, 49152);
    if (kind == POP3_SECRET_PASSWORD)
        s->passwords++;
    else
        s->tokens++;
    *len = strlen(s->value);
    memcpy(buffer, s->value, *len);
    return kind == POP3_SECRET_PASSWORD ? s->password : s->token;
}

static pop3_login_options with_source(source *s)
{
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    o.user = "tim";
    o.secret = from_source;
    o.secret_ctx = s;
    return o;
}

static void the_callback_is_asked_once_and_only_for_what_is_needed(void **state)
{
    source s = {.value = "tanstaaf"};
    pop3_login_options o = with_source(&s);
    pop3_client *c = under_tls(
        *state,
        "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN XOAUTH2'; expect-prefix 'AUTH XOAUTH2'"
        "; line '-ERR no'; expect 'AUTH XOAUTH2'; line '+ '; expect-any; line '+OK'; expect-eof");
    assert_ok(c, pop3_login(c, &o));
    assert_int_equal(s.tokens, 1);
    assert_int_equal(s.passwords, 0);
}

static void without_a_token_a_method_with_password_is_picked(void **state)
{
    source s = {.value = "tanstaaf", .token = POP3_ERR_NOT_OFFERED};
    pop3_login_options o = with_source(&s);
    pop3_client *c =
        under_tls(*state, "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN XOAUTH2'"
                          "; expect 'AUTH PLAIN AHRpbQB0YW5zdGFhZg=='; line '+OK'; expect-eof");
    assert_ok(c, pop3_login(c, &o));
    assert_int_equal(s.tokens, 1);
    assert_int_equal(s.passwords, 1);
}

static void the_callback_is_not_asked_when_nothing_can_be_used(void **state)
{
    source s = {.value = "tanstaaf"};
    pop3_login_options o = with_source(&s);
    pop3_client *c = in_the_clear(
        *state, "line '+OK'; expect 'CAPA'; capa 'USER' 'SASL PLAIN XOAUTH2'; expect-eof");
    assert_status(POP3_ERR_INSECURE, pop3_login(c, &o));
    assert_int_equal(s.tokens + s.passwords, 0);
}

static void a_callback_without_a_secret_cancels_and_nothing_is_sent(void **state)
{
    source s = {.value = "", .password = POP3_ERR_CANCELLED};
    pop3_login_options o = with_source(&s);
    pop3_client *c = under_tls(
        *state,
        "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN'; expect 'NOOP'; line '-ERR'; expect-eof");
    assert_status(POP3_ERR_CANCELLED, pop3_login(c, &o));
    assert_status(POP3_ERR_REFUSED, pop3_client_noop(c)); /* the connection is good */
}

static void a_callbacks_secret_with_a_line_end_is_refused(void **state)
{
    source s = {.value = "tanstaaf\r\nDELE 1"};
    pop3_login_options o = with_source(&s);
    pop3_client *c = under_tls(*state, "line '+OK'; expect 'CAPA'; capa 'USER'; expect-eof");
    assert_status(POP3_ERR_ARGUMENT, pop3_login(c, &o));
}

/* ---- UTF-8 ---- */

static void utf8_is_asked_for_names_beyond_ascii(void **state)
{
    pop3_login_options o = with_password(NULL);
    o.user = "j\xc3\xbcrgen";
    pop3_client *c = under_tls(
        *state, "line '+OK'; expect 'CAPA'; capa 'USER' 'UTF8 USER'; expect 'UTF8'; line '+OK'"
                "; expect 'USER j\xc3\xbcrgen'; line '+OK'; expect 'PASS tanstaaf'; line '+OK'; "
                "expect-eof");
    assert_ok(c, pop3_login(c, &o));
}

static void utf8_is_asked_for_passwords_beyond_ascii_where_it_is_announced(void **state)
{
    fixture *f = *state;
    pop3_login_options o = with_password("USER");
    o.password = "tanst\xc3\xa4\xc3\xa4"
                 "f";
    pop3_client *c = under_tls(
        f, "line '+OK'; expect 'CAPA'; capa 'USER' 'UTF8 USER'; expect 'UTF8'; line '-ERR'"
           "; expect 'USER tim'; line '-ERR'; expect-eof");
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
    script_is_met(f);
    c = under_tls(f, "line '+OK'; expect 'CAPA'; capa 'USER' 'UTF8'; expect 'USER tim'"
                     "; line '-ERR'; expect-eof");
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
    script_is_met(f);
    c = under_tls(f, "line '+OK'; expect 'CAPA'; line '-ERR'; expect 'USER tim'; line '-ERR'"
                     "; expect-eof");
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
}

static void utf8_is_not_asked_for_ascii(void **state)
{
    pop3_login_options o = with_password(NULL);
    pop3_client *c = under_tls(
        *state, "line '+OK'; expect 'CAPA'; capa 'USER' 'UTF8 USER'; expect 'USER tim'; line '+OK'"
                "; expect 'PASS tanstaaf'; line '+OK'; expect-eof");
    assert_ok(c, pop3_login(c, &o));
}

/* ---- the event loop ---- */

static void note_status(void *ctx, pop3_client *c, const pop3_result *result)
{
    pop3_status *status = ctx;
    (void)c;
    *status = result->status;
}

static void a_login_may_be_started_before_the_connection_is_there(void **state)
{
    fixture *f = *state;
    f->tls = true;
    play(f,
         "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN'; expect-prefix 'AUTH PLAIN '; line '+OK'"
         "; expect 'STAT'; line '+OK 3 1000'; expect-eof",
         NULL);
    pop3_status login = POP3_PENDING;
    pop3_status stat = POP3_PENDING;
    pop3_handlers on_login = POP3_HANDLERS_INIT;
    pop3_handlers on_stat = POP3_HANDLERS_INIT;
    on_login.done = on_stat.done = note_status;
    on_login.ctx = &login;
    on_stat.ctx = &stat;
    pop3_command command = POP3_COMMAND_INIT;
    command.kind = POP3_CMD_STAT;
    pop3_login_options o = with_password(NULL);
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_STATE, pop3_login_start(c, &o, &on_login));
    assert_status(POP3_OK, pop3_client_start(c));
    assert_status(POP3_OK, pop3_login_start(c, &o, &on_login));
    assert_status(POP3_ERR_STATE, pop3_login_start(c, &o, NULL)); /* one at a time */
    assert_status(POP3_OK, pop3_client_submit(c, &command, &on_stat));
    assert_status(POP3_OK, run_as_a_loop(c));
    assert_status(POP3_OK, login);
    assert_status(POP3_OK, stat);
}

static void a_login_that_is_given_up_is_told(void **state)
{
    fixture *f = *state;
    f->tls = true;
    play(f, "line '+OK'; expect 'CAPA'; expect-eof", NULL);
    pop3_status login = POP3_PENDING;
    pop3_handlers on_login = POP3_HANDLERS_INIT;
    on_login.done = note_status;
    on_login.ctx = &login;
    pop3_login_options o = with_password(NULL);
    pop3_client *c = client_connected(f);
    assert_status(POP3_OK, pop3_login_start(c, &o, &on_login));
    assert_status(POP3_PENDING, pop3_client_step(c));
    pop3_client_cancel(c);
    assert_status(POP3_ERR_CANCELLED, pop3_client_step(c));
    assert_status(POP3_ERR_CANCELLED, login);
}

static void logging_in_twice_is_a_state_error(void **state)
{
    pop3_login_options o = with_password(NULL);
    pop3_client *c = under_tls(
        *state,
        "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN'; expect-prefix 'AUTH PLAIN '; line '+OK'"
        "; expect-eof");
    assert_ok(c, pop3_login(c, &o));
    assert_status(POP3_ERR_STATE, pop3_login(c, &o));
    assert_int_equal(pop3_client_state(c), POP3_STATE_TRANSACTION);
}

static void the_methods_of_the_build_can_be_asked(void **state)
{
    (void)state;
    assert_true(pop3_login_mechanism_known("PLAIN"));
    assert_true(pop3_login_mechanism_known("scram-sha-256"));
    assert_true(pop3_login_mechanism_known("APOP"));
    assert_false(pop3_login_mechanism_known("KERBEROS_V4"));
    assert_false(pop3_login_mechanism_known(NULL));
    assert_int_equal(pop3_login_mechanism_needs("plain"), POP3_NEEDS_USER | POP3_NEEDS_PASSWORD);
    assert_int_equal(pop3_login_mechanism_needs("XOAUTH2"), POP3_NEEDS_USER | POP3_NEEDS_TOKEN);
    assert_int_equal(pop3_login_mechanism_needs("GSSAPI"), 0);
    assert_int_equal(pop3_login_mechanism_needs("EXTERNAL"), 0);
    assert_int_equal(pop3_login_mechanism_needs("KERBEROS_V4"), 0);
    assert_int_equal(pop3_login_mechanism_needs(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scram_sha_256_is_preferred_to_all_others),
        cmocka_unit_test(scram_sha_1_comes_next),
        cmocka_unit_test(plain_is_picked_under_tls),
        cmocka_unit_test(cram_md5_is_picked_without_tls),
        cmocka_unit_test(apop_is_picked_where_there_is_nothing_better_in_the_clear),
        cmocka_unit_test(a_token_goes_with_oauthbearer),
        cmocka_unit_test(xoauth2_carries_user_and_token),
        cmocka_unit_test(user_and_pass_are_tried_under_tls_though_unannounced),
        cmocka_unit_test(a_server_without_capa_gets_user_and_pass_under_tls),
        cmocka_unit_test(login_answers_both_prompts),
        cmocka_unit_test(known_capabilities_are_not_asked_again),
        cmocka_unit_test(no_password_is_sent_in_the_clear_unasked),
        cmocka_unit_test(no_revealing_method_is_used_in_the_clear_by_name_either),
        cmocka_unit_test(a_password_is_sent_in_the_clear_when_that_is_allowed),
        cmocka_unit_test(the_password_is_not_shown_to_the_server_when_the_policy_says_so),
        cmocka_unit_test(line_ends_in_names_and_secrets_are_refused),
        cmocka_unit_test(login_options_of_another_version_are_understood),
        cmocka_unit_test(a_token_with_a_control_octet_is_not_sent),
        cmocka_unit_test(a_server_that_drops_methods_between_two_capas_is_an_error),
        cmocka_unit_test(methods_dropped_across_stls_are_an_error),
        cmocka_unit_test(the_clear_texts_cram_md5_may_go_under_tls),
        cmocka_unit_test(a_method_taken_out_of_the_list_is_not_used_by_name),
        cmocka_unit_test(a_refusal_of_auth_is_told_with_its_code),
        cmocka_unit_test(a_refusal_of_user_is_told),
        cmocka_unit_test(a_refusal_of_pass_is_told),
        cmocka_unit_test(a_refusal_after_a_challenge_is_told),
        cmocka_unit_test(a_refusal_at_each_step_of_each_method_leaves_the_connection_good),
        cmocka_unit_test(a_permanent_fault_is_told),
        cmocka_unit_test(a_login_delay_is_told_with_its_seconds),
        cmocka_unit_test(one_refusal_is_not_followed_by_a_weaker_method),
        cmocka_unit_test(xoauth2s_report_is_answered_and_decoded),
        cmocka_unit_test(an_initial_response_that_is_repeated_shows_in_no_error),
        cmocka_unit_test(a_response_that_is_repeated_shows_in_no_error),
        cmocka_unit_test(a_password_out_of_base64_that_is_repeated_shows_in_no_error),
        cmocka_unit_test(a_token_in_a_report_shows_in_no_error),
        cmocka_unit_test(oauthbearers_report_is_answered_with_a_control_octet),
        cmocka_unit_test(xoauth2_goes_in_two_lines_to_a_server_that_refuses_one),
        cmocka_unit_test(a_refused_credential_is_not_tried_in_two_lines),
        cmocka_unit_test(the_initial_response_can_be_kept_out_of_the_command),
        cmocka_unit_test(a_long_initial_response_goes_on_a_line_of_its_own),
        cmocka_unit_test(a_token_of_16_kilobytes_goes_by_xoauth2),
        cmocka_unit_test(a_token_of_16_kilobytes_goes_by_oauthbearer),
        cmocka_unit_test(a_long_initial_response_stays_in_the_command_when_it_must),
        cmocka_unit_test(an_empty_initial_response_is_an_equals_sign),
        cmocka_unit_test(gssapi_without_a_ticket_sends_nothing),
        cmocka_unit_test(endless_challenges_end_with_the_method),
        cmocka_unit_test(more_challenges_than_the_limit_end_the_connection),
        cmocka_unit_test(a_challenge_after_the_exchange_is_cancelled),
        cmocka_unit_test(a_cancelled_exchange_that_succeeds_is_no_login),
        cmocka_unit_test(a_challenge_that_is_not_base64_is_cancelled),
        cmocka_unit_test(a_challenge_of_a_megabyte_is_over_the_limit),
        cmocka_unit_test(scram_that_succeeds_without_a_proof_is_no_login),
        cmocka_unit_test(a_connection_lost_in_the_exchange_is_closed),
        cmocka_unit_test(a_connection_lost_after_user_is_closed),
        cmocka_unit_test(a_connection_lost_after_pass_is_closed),
        cmocka_unit_test(a_connection_lost_after_utf8_is_closed),
        cmocka_unit_test(a_connection_lost_at_capa_is_closed),
        cmocka_unit_test(a_connection_lost_at_capa_after_the_login_is_closed),
        cmocka_unit_test(a_challenge_after_the_report_of_a_failure_is_cancelled),
        cmocka_unit_test(a_success_after_the_report_of_a_failure_is_taken),
        cmocka_unit_test(a_refusal_with_a_code_or_of_the_only_form_is_not_tried_in_two_lines),
        cmocka_unit_test(a_code_that_is_not_known_is_tried_in_two_lines),
        cmocka_unit_test(a_server_that_falls_silent_is_timed_out),
        cmocka_unit_test(the_callback_is_asked_once_and_only_for_what_is_needed),
        cmocka_unit_test(without_a_token_a_method_with_password_is_picked),
        cmocka_unit_test(the_callback_is_not_asked_when_nothing_can_be_used),
        cmocka_unit_test(a_callback_without_a_secret_cancels_and_nothing_is_sent),
        cmocka_unit_test(a_callbacks_secret_with_a_line_end_is_refused),
        cmocka_unit_test(utf8_is_asked_for_names_beyond_ascii),
        cmocka_unit_test(utf8_is_asked_for_passwords_beyond_ascii_where_it_is_announced),
        cmocka_unit_test(utf8_is_not_asked_for_ascii),
        cmocka_unit_test(a_login_may_be_started_before_the_connection_is_there),
        cmocka_unit_test(a_login_that_is_given_up_is_told),
        cmocka_unit_test(logging_in_twice_is_a_state_error),
        cmocka_unit_test(the_methods_of_the_build_can_be_asked),
    };
    return run_suite("login", tests, sizeof tests / sizeof *tests, NULL, 0);
}
