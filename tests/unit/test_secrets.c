/* The engine's dealings with secrets: AUTH and its challenges, STLS, and what a trace is told. */
#include "engine_script.h"

static script *connected(const pop3_engine_options *options)
{
    script *s = script_begin(options);
    says(s, "+OK ready\r\n");
    sees(s, "greeting ok {ready}");
    return s;
}

static void responds(script *s, const char *base64)
{
    pop3_str text = {base64, strlen(base64)};
    assert_int_equal(pop3_engine_respond(s->engine, text), POP3_OK);
}

static void an_exchange_of_challenges_and_responses_logs_in(void **state)
{
    (void)state;
    script *s = connected(NULL);
    asks_auth(s, "CRAM-MD5", NULL);
    sends(s, "AUTH CRAM-MD5\r\n");
    says(s, "+ PDE4OTYu\r\n");
    sees(s, "AUTH challenge {PDE4OTYu}");
    sends(s, "");
    assert_false(pop3_engine_wants_input(s->engine)); /* it is our turn */
    responds(s, "dGltIGI5MTNh");
    assert_true(pop3_engine_wants_input(s->engine));
    sends(s, "dGltIGI5MTNh\r\n");
    says(s, "+ \r\n");
    sees(s, "AUTH challenge {}");
    responds(s, "");
    sends(s, "\r\n");
    says(s, "+OK in\r\n");
    sees(s, "AUTH ok {in}");
    assert_int_equal(pop3_engine_state(s->engine), POP3_STATE_TRANSACTION);
    script_end(s);
}

static void an_initial_response_goes_with_the_command(void **state)
{
    (void)state;
    script *s = connected(NULL);
    asks_auth(s, "PLAIN", "AGEAYg==");
    sends(s, "AUTH PLAIN AGEAYg==\r\n");
    says(s, "+OK\r\n");
    sees(s, "AUTH ok {}");
    script_end(s);
}

static void an_exchange_can_be_given_up(void **state)
{
    (void)state;
    script *s = connected(NULL);
    asks_auth(s, "SCRAM-SHA-256", NULL);
    sends(s, "AUTH SCRAM-SHA-256\r\n");
    says(s, "+\r\n");
    sees(s, "AUTH challenge {}");
    assert_int_equal(pop3_engine_cancel_auth(s->engine), POP3_OK);
    sends(s, "*\r\n");
    says(s, "-ERR cancelled\r\n");
    sees(s, "AUTH refused {cancelled}");
    assert_int_equal(pop3_engine_state(s->engine), POP3_STATE_AUTHORIZATION);
    script_end(s);
}

/* XOAUTH2: the reason of a refusal comes as a challenge, which an empty line answers. */
static void a_refusal_may_come_after_a_challenge(void **state)
{
    (void)state;
    script *s = connected(NULL);
    asks_auth(s, "XOAUTH2", "dG9rZW4=");
    sends(s, "AUTH XOAUTH2 dG9rZW4=\r\n");
    says(s, "+ eyJzdGF0dXMiOiI0MDAifQ==\r\n");
    sees(s, "AUTH challenge {eyJzdGF0dXMiOiI0MDAifQ==}");
    responds(s, "");
    sends(s, "\r\n");
    says(s, "-ERR [AUTH] expired\r\n");
    sees(s, "AUTH refused [AUTH] {expired}");
    script_end(s);
}

static void an_answer_needs_a_challenge(void **state)
{
    (void)state;
    static const pop3_str response = {"QUI=", 4};
    script *s = connected(NULL);
    assert_int_equal(pop3_engine_respond(s->engine, response), POP3_ERR_STATE);
    assert_int_equal(pop3_engine_cancel_auth(s->engine), POP3_ERR_STATE);
    asks_auth(s, "PLAIN", NULL);
    sends(s, "AUTH PLAIN\r\n");
    assert_int_equal(pop3_engine_respond(s->engine, response), POP3_ERR_STATE);
    says(s, "+ \r\n");
    sees(s, "AUTH challenge {}");
    responds(s, "QUI=");
    assert_int_equal(pop3_engine_respond(s->engine, response), POP3_ERR_STATE); /* only once */
    sends(s, "QUI=\r\n");
    says(s, "+OK\r\n");
    sees(s, "AUTH ok {}");
    assert_int_equal(pop3_engine_respond(s->engine, response), POP3_ERR_STATE);
    script_end(s);
}

static void a_response_that_is_no_base64_is_refused_and_may_be_given_again(void **state)
{
    (void)state;
    static const char *const bad[] = {"A\r\nDELE 1", "A B", "*", "A\n", "\x80"};
    script *s = connected(NULL);
    asks_auth(s, "PLAIN", NULL);
    sends(s, "AUTH PLAIN\r\n");
    says(s, "+ \r\n");
    sees(s, "AUTH challenge {}");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pop3_str text = {bad[i], strlen(bad[i])};
        assert_int_equal(pop3_engine_respond(s->engine, text), POP3_ERR_ARGUMENT);
    }
    pop3_str with_nul = {"QUI\0", 4};
    assert_int_equal(pop3_engine_respond(s->engine, with_nul), POP3_ERR_ARGUMENT);
    pop3_str without_data = {NULL, 4};
    assert_int_equal(pop3_engine_respond(s->engine, without_data), POP3_ERR_ARGUMENT);
    sends(s, "");
    responds(s, "QUI=");
    sends(s, "QUI=\r\n");
    says(s, "+OK\r\n");
    sees(s, "AUTH ok {}");
    script_end(s);
}

static void challenges_are_limited_within_one_exchange(void **state)
{
    (void)state;
    pop3_engine_options o = POP3_ENGINE_OPTIONS_INIT;
    o.limits.challenges = 2;
    script *s = connected(&o);
    for (int round = 0; round < 3; round++) { /* each AUTH counts anew */
        asks_auth(s, "LOGIN", NULL);
        sends(s, "AUTH LOGIN\r\n");
        for (int i = 0; i < 2; i++) {
            says(s, "+ VXNlcg==\r\n");
            sees(s, "AUTH challenge {VXNlcg==}");
            responds(s, "AA==");
            sends(s, "AA==\r\n");
        }
        if (round < 2) {
            says(s, "-ERR\r\n");
            sees(s, "AUTH refused {}");
        }
    }
    says(s, "+ VXNlcg==\r\n");
    sees(s, "AUTH limit");
    died(s, POP3_ERR_LIMIT, "AUTH: more challenges than the limit allows");
    script_end(s);
}

static void the_default_limit_is_16_challenges(void **state)
{
    (void)state;
    script *s = connected(NULL);
    asks_auth(s, "X", NULL);
    sends(s, "AUTH X\r\n");
    for (int i = 0; i < 16; i++) {
        says(s, "+ AA==\r\n");
        sees(s, "AUTH challenge {AA==}");
        responds(s, "AA==");
        sends(s, "AA==\r\n");
    }
    says(s, "+ AA==\r\n");
    sees(s, "AUTH limit");
    script_end(s);
}

static void octets_while_a_challenge_waits_are_out_of_turn(void **state)
{
    (void)state;
    script *s = connected(NULL);
    asks_auth(s, "LOGIN", NULL);
    sends(s, "AUTH LOGIN\r\n");
    says(s, "+ VXNlcg==\r\n+OK\r\n");
    sees(s, "AUTH challenge {VXNlcg==}\nAUTH protocol");
    assert_int_equal(pop3_engine_state(s->engine), POP3_STATE_DEAD);
    static const pop3_str response = {"QUI=", 4};
    assert_int_equal(pop3_engine_respond(s->engine, response), POP3_ERR_STATE);
    script_end(s);
}

static void a_challenge_that_breaks_the_protocol_is_not_shown(void **state)
{
    (void)state;
    script *s = connected(NULL);
    asks_auth(s, "CRAM-MD5", NULL);
    sends(s, "AUTH CRAM-MD5\r\n");
    says(s, "Q0hBTExFTkdF\r\n");
    sees(s, "AUTH protocol");
    died(s, POP3_ERR_PROTOCOL, "the reply starts with neither + nor -");
    script_end(s);
}

static void a_plus_alone_is_a_challenge_only_in_auth(void **state)
{
    (void)state;
    script *s = connected(NULL);
    asks_text(s, POP3_CMD_USER, "a");
    sends(s, "USER a\r\n");
    says(s, "+ go on\r\n");
    sees(s, "USER ok {go on}");
    script_end(s);
}

/* STLS (RFC 2595 §4). */

static void stls_waits_for_the_handshake_and_then_goes_on(void **state)
{
    (void)state;
    script *s = connected(NULL);
    asks(s, POP3_CMD_STLS);
    sends(s, "STLS\r\n");
    assert_false(pop3_engine_wants_tls(s->engine));
    says(s, "+OK begin\r\n");
    sees(s, "STLS ok {begin}");
    assert_true(pop3_engine_wants_tls(s->engine));
    assert_false(pop3_engine_wants_input(s->engine));
    asks_text(s, POP3_CMD_PASS, "secret");
    sends(s, ""); /* the password waits for TLS */
    pop3_engine_tls_started(s->engine);
    assert_false(pop3_engine_wants_tls(s->engine));
    sends(s, "PASS secret\r\n");
    says(s, "+OK\r\n");
    sees(s, "PASS ok {}");
    script_end(s);
}

static void octets_injected_with_the_reply_to_stls_are_caught(void **state)
{
    (void)state;
    script *s = connected(NULL);
    asks(s, POP3_CMD_STLS);
    sends(s, "STLS\r\n");
    says(s, "+OK begin\r\n+OK injected\r\n");
    sees(s, "STLS protocol");
    assert_false(pop3_engine_wants_tls(s->engine));
    died(s, POP3_ERR_PROTOCOL,
         "data arrived in the clear after the reply to STLS; an attacker may be tampering with the "
         "connection");
    script_end(s);
}

static void octets_injected_before_the_handshake_are_caught(void **state)
{
    (void)state;
    static const char *const injected[] = {"+OK\r\n", "-ERR\r\n", "\r\n", "+", "\x16"};
    for (size_t i = 0; i < sizeof injected / sizeof injected[0]; i++) {
        script *s = connected(NULL);
        asks(s, POP3_CMD_STLS);
        sends(s, "STLS\r\n");
        says(s, "+OK begin\r\n");
        sees(s, "STLS ok {begin}");
        says(s, injected[i]);
        died(s, POP3_ERR_PROTOCOL,
             "data arrived in the clear after the reply to STLS; an attacker may be tampering with "
             "the connection");
        assert_false(pop3_engine_wants_tls(s->engine));
        script_end(s);
    }
}

static void stls_refused_leaves_the_connection_as_it_was(void **state)
{
    (void)state;
    script *s = connected(NULL);
    asks(s, POP3_CMD_STLS);
    sends(s, "STLS\r\n");
    says(s, "-ERR no\r\n");
    sees(s, "STLS refused {no}");
    assert_false(pop3_engine_wants_tls(s->engine));
    asks(s, POP3_CMD_CAPA);
    sends(s, "CAPA\r\n");
    says(s, "-ERR\r\n");
    sees(s, "CAPA refused {}");
    script_end(s);
}

static void stls_is_for_clear_connections_before_login(void **state)
{
    (void)state;
    pop3_command stls = command_of(POP3_CMD_STLS, 0, NULL);
    script *s = script_logged_in(NULL, NULL);
    assert_int_equal(pop3_engine_submit(s->engine, &stls), POP3_ERR_STATE);
    script_end(s);
    s = script_begin(NULL);
    pop3_engine_tls_started(s->engine); /* TLS from the start */
    says(s, "+OK\r\n");
    sees(s, "greeting ok {}");
    assert_int_equal(pop3_engine_submit(s->engine, &stls), POP3_ERR_STATE);
    script_end(s);
    s = connected(NULL);
    asks(s, POP3_CMD_STLS);
    sends(s, "STLS\r\n");
    says(s, "+OK\r\n");
    sees(s, "STLS ok {}");
    pop3_engine_tls_started(s->engine);
    assert_int_equal(pop3_engine_submit(s->engine, &stls), POP3_ERR_STATE);
    script_end(s);
}

static void a_secret_does_not_wait_behind_an_stls_that_may_be_refused(void **state)
{
    (void)state;
    static const struct {
        pop3_command_kind kind;
        const char *text;
    } secret[] = {{POP3_CMD_PASS, "b"},
                  {POP3_CMD_APOP, "a b"},
                  {POP3_CMD_AUTH, "PLAIN"},
                  {POP3_CMD_RAW, "X"},
                  {POP3_CMD_RAW_LIST, "X"}};
    script *s = connected(NULL);
    asks(s, POP3_CMD_STLS);
    for (int sent = 0; sent < 2; sent++) {
        for (size_t i = 0; i < sizeof secret / sizeof secret[0]; i++) {
            pop3_command c = command_of(secret[i].kind, 0, secret[i].text);
            assert_int_equal(pop3_engine_submit(s->engine, &c), POP3_ERR_STATE);
        }
        sends(s, sent ? "" : "STLS\r\n");
    }
    says(s, "-ERR no\r\n");
    sees(s, "STLS refused {no}");
    asks_text(s, POP3_CMD_PASS, "b"); /* who knows of the refusal may still say so */
    sends(s, "PASS b\r\n");
    script_free(s);
}

/* Traces. */

static script *traced(int level)
{
    pop3_engine_options o = POP3_ENGINE_OPTIONS_INIT;
    o.trace_level = level;
    return connected(&o);
}

static void no_secret_ever_reaches_the_trace(void **state)
{
    (void)state;
    script *s = traced(2);
    asks_text(s, POP3_CMD_USER, "mrose");
    sends(s, "USER mrose\r\n");
    says(s, "+OK\r\n");
    asks_text(s, POP3_CMD_PASS, "hunter2");
    sends(s, "PASS hunter2\r\n");
    says(s, "-ERR [AUTH] wrong\r\n");
    asks_text(s, POP3_CMD_APOP, "mrose c4c9334bac560ecc");
    sends(s, "APOP mrose c4c9334bac560ecc\r\n");
    says(s, "-ERR\r\n");
    asks_auth(s, "PLAIN", "AGEAaHVudGVyMg==");
    sends(s, "AUTH PLAIN AGEAaHVudGVyMg==\r\n");
    says(s, "-ERR\r\n");
    asks_auth(s, "CRAM-MD5", NULL);
    sends(s, "AUTH CRAM-MD5\r\n");
    says(s, "+ Q0hBTExFTkdF\r\n");
    responds(s, "UkVTUE9OU0U=");
    sends(s, "UkVTUE9OU0U=\r\n");
    says(s, "+ \r\n");
    assert_int_equal(pop3_engine_cancel_auth(s->engine), POP3_OK);
    sends(s, "*\r\n");
    says(s, "-ERR\r\n");
    asks_text(s, POP3_CMD_RAW, "XAUTH hunter2");
    sends(s, "XAUTH hunter2\r\n");
    says(s, "+OK\r\n");
    asks_text(s, POP3_CMD_RAW_LIST, "XPASS hunter2");
    sends(s, "XPASS hunter2\r\n");
    says(s, "+OK\r\nline\r\n.\r\n");
    assert_string_equal(s->trace.text, "< +OK ready\n"
                                       "> USER mrose\n"
                                       "< +OK\n"
                                       "> PASS ***\n"
                                       "< -ERR [AUTH] wrong\n"
                                       "> APOP ***\n"
                                       "< -ERR\n"
                                       "> AUTH ***\n"
                                       "< -ERR\n"
                                       "> AUTH ***\n"
                                       "< + ***\n"
                                       "> ***\n"
                                       "< + ***\n"
                                       "> *\n"
                                       "< -ERR\n"
                                       "> ***\n"
                                       "< +OK\n"
                                       "> ***\n"
                                       "< +OK\n"
                                       ". line\n");
    script_free(s);
}

/* Some servers repeat what they do not understand, and what they were sent beside it. */
static void a_password_in_the_reply_to_user_does_not_reach_the_trace(void **state)
{
    (void)state;
    pop3_engine_options o = POP3_ENGINE_OPTIONS_INIT;
    o.pipelining = POP3_PIPELINING_ON;
    o.trace_level = 2;
    script *s = connected(&o);
    asks_text(s, POP3_CMD_USER, "mrose");
    asks_text(s, POP3_CMD_PASS, "hunter2");
    sends(s, "USER mrose\r\nPASS hunter2\r\n");
    says(s, "-ERR what is USER mrose PASS hunter2?\r\n-ERR\r\n");
    assert_string_equal(s->trace.text, "< +OK ready\n"
                                       "> USER mrose\n"
                                       "> PASS ***\n"
                                       "< -ERR what is USER mrose PASS ***\n"
                                       "< -ERR\n");
    script_free(s);
}

/* That there is none, and how long one is, is a secret as well. */
static void an_empty_password_looks_like_any_other(void **state)
{
    (void)state;
    script *s = traced(2);
    asks_text(s, POP3_CMD_PASS, "");
    sends(s, "PASS \r\n");
    assert_string_equal(s->trace.text, "< +OK ready\n> PASS ***\n");
    script_free(s);
}

static void level_2_shows_listings_and_messages_and_level_1_does_not(void **state)
{
    (void)state;
    static const char level_1[] = "< +OK ready\n> LIST\n< +OK\n> RETR 1\n< +OK 2 octets\n";
    static const char level_2[] = "< +OK ready\n> LIST\n< +OK\n. 1 120\n. 2 40\n"
                                  "> RETR 1\n< +OK 2 octets\n# Hi\r\n\n# .\r\n\n";
    static const char *const expected[] = {"", level_1, level_2};
    for (int level = 0; level <= 2; level++) {
        script *s = traced(level);
        asks(s, POP3_CMD_LIST);
        sends(s, "LIST\r\n");
        says(s, "+OK\r\n1 120\r\n2 40\r\n.\r\n");
        asks_number(s, POP3_CMD_RETR, 1);
        sends(s, "RETR 1\r\n");
        says(s, "+OK 2 octets\r\nHi\r\n..\r\n.\r\n");
        assert_string_equal(s->trace.text, expected[level]);
        script_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exchange_of_challenges_and_responses_logs_in),
        cmocka_unit_test(an_initial_response_goes_with_the_command),
        cmocka_unit_test(an_exchange_can_be_given_up),
        cmocka_unit_test(a_refusal_may_come_after_a_challenge),
        cmocka_unit_test(an_answer_needs_a_challenge),
        cmocka_unit_test(a_response_that_is_no_base64_is_refused_and_may_be_given_again),
        cmocka_unit_test(challenges_are_limited_within_one_exchange),
        cmocka_unit_test(the_default_limit_is_16_challenges),
        cmocka_unit_test(octets_while_a_challenge_waits_are_out_of_turn),
        cmocka_unit_test(a_challenge_that_breaks_the_protocol_is_not_shown),
        cmocka_unit_test(a_plus_alone_is_a_challenge_only_in_auth),
        cmocka_unit_test(stls_waits_for_the_handshake_and_then_goes_on),
        cmocka_unit_test(octets_injected_with_the_reply_to_stls_are_caught),
        cmocka_unit_test(octets_injected_before_the_handshake_are_caught),
        cmocka_unit_test(stls_refused_leaves_the_connection_as_it_was),
        cmocka_unit_test(stls_is_for_clear_connections_before_login),
        cmocka_unit_test(a_secret_does_not_wait_behind_an_stls_that_may_be_refused),
        cmocka_unit_test(no_secret_ever_reaches_the_trace),
        cmocka_unit_test(a_password_in_the_reply_to_user_does_not_reach_the_trace),
        cmocka_unit_test(an_empty_password_looks_like_any_other),
        cmocka_unit_test(level_2_shows_listings_and_messages_and_level_1_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
