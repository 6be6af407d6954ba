/* Logging in to servers that follow no letter of the RFCs, and what is never done for their sake:
 * what curl, MailKit and poplib can log in to, we can. */
#define _POSIX_C_SOURCE 200809L
#include "support/suite.h"

#include <stdio.h>
#include <string.h>

#define PLAIN "AHRpbQB0YW5zdGFhZg==" /* tim, tanstaaf */

static pop3_login_options with_password(const char *mechanism)
{
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    o.user = "tim";
    o.password = "tanstaaf";
    o.mechanism = mechanism;
    return o;
}

static pop3_login_options with_token(void)
{
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    o.user = "tim";
    o.token = "t0ken";
    return o;
}

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

static void logs_in(fixture *f, const char *mechanism, const char *script)
{
    pop3_login_options o = with_password(mechanism);
    pop3_client *c = under_tls(f, script);
    assert_ok(c, pop3_login(c, &o));
    script_is_met(f);
}

static void is_refused_for(fixture *f, const char *mechanism, const char *script, pop3_refusal what,
                           bool temporary)
{
    pop3_login_options o = with_password(mechanism);
    pop3_client *c = under_tls(f, script);
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
    assert_int_equal(pop3_client_error(c)->refused, what);
    assert_int_equal(pop3_client_error(c)->temporary, temporary);
    script_is_met(f);
}

static void is_refused(fixture *f, const char *mechanism, const char *script, pop3_refusal what)
{
    is_refused_for(f, mechanism, script, what, false);
}

/* ---- the initial response ---- */

static void a_response_that_was_not_heard_is_given_again(void **state)
{
    static const char *const prompts[] = {"+ ", "+", "+ go ahead", "+ Username:"};
    for (size_t i = 0; i < sizeof prompts / sizeof prompts[0]; i++) {
        char script[400];
        snprintf(script, sizeof script,
                 "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN'; expect 'AUTH PLAIN " PLAIN "'"
                 "; line '%s'; expect '" PLAIN "'; line '+OK'; expect-eof",
                 prompts[i]);
        logs_in(*state, NULL, script);
    }
}

static void scram_begins_anew_when_its_first_message_was_not_heard(void **state)
{
    is_refused(*state, NULL,
               "line '+OK'; expect 'CAPA'; capa 'SASL SCRAM-SHA-256'"
               "; expect-prefix 'AUTH SCRAM-SHA-256 '; line '+ '; expect-prefix 'eSws'"
               "; line '-ERR [AUTH] no'; expect-eof",
               POP3_REFUSED_CREDENTIALS);
}

static void a_refused_response_goes_on_a_line_of_its_own_and_that_is_learned(void **state)
{
    fixture *f = *state;
    f->tls = true;
    play(f,
         "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN'; expect-prefix 'AUTH PLAIN A'; line '-ERR'"
         "; expect 'AUTH PLAIN'; line '+ '; expect '" PLAIN "'; line '+OK'; expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    pop3_login_options o = with_password(NULL);
    assert_ok(c, pop3_login(c, &o));
    assert_int_equal(pop3_client_traits(c)->flags, POP3_TRAIT_NO_INITIAL_RESPONSE);
    f->options.traits = *pop3_client_traits(c);
    script_is_met(f);
    logs_in(f, NULL,
            "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN'; expect 'AUTH PLAIN'; line '+ '"
            "; expect '" PLAIN "'; line '+OK'; expect-eof");
}

/* Exchange Online closes with that refusal (getmail6 issue 256). */
static void a_refused_response_goes_on_another_connection_where_the_server_closes(void **state)
{
    fixture *f = *state;
    for (int right = 0; right < 2; right++) {
        f->tls = true;
        f->options.traits = (pop3_server_traits){0};
        play(f,
             right ? "on 'AUTH PLAIN " PLAIN "' { line '-ERR Protocol error. 10' ; close }\nserve\n"
                   : "on AUTH { line '-ERR wrong' ; close }\nserve\n",
             "--mail", scratch_dir(), "--user", "tim", "--password", "tanstaaf", "--no-capa",
             "USER", "--max-sessions", "2", NULL);
        pop3_client *c = client_connected(f);
        pop3_login_options o = with_password("PLAIN");
        if (right) {
            assert_ok(c, pop3_login(c, &o));
            assert_ok(c, pop3_client_quit(c));
        } else { /* it is no lost connection, but a refusal */
            assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
            assert_error(c, POP3_ERR_REFUSED, "wrong");
        }
        assert_int_equal(pop3_client_traits(c)->flags, right ? POP3_TRAIT_NO_INITIAL_RESPONSE : 0);
        script_is_met(f);
    }
}

static void
a_login_that_was_taken_is_no_refusal_though_another_method_was_refused_before(void **state)
{
    pop3_login_options o = with_password(NULL);
    o.ask_capabilities = true;
    pop3_client *c = under_tls(
        *state, "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN'; expect-prefix 'AUTH PLAIN A'"
                "; line '-ERR'; expect 'AUTH PLAIN'; line '+ '; expect '" PLAIN "'; line '+OK'"
                "; expect 'CAPA'; reset");
    assert_status(POP3_ERR_CLOSED, pop3_login(c, &o));
}

static void a_token_that_was_not_heard_is_given_again_and_a_report_is_none(void **state)
{
    fixture *f = *state;
    pop3_login_options o = with_token();
    pop3_client *c = under_tls(
        f, "line '+OK'; expect 'CAPA'; capa 'SASL XOAUTH2'; expect-prefix 'AUTH XOAUTH2 d'"
           "; line '+ send it'; expect-prefix 'dXNlcj10aW0B'; line '+OK'; expect-eof");
    assert_ok(c, pop3_login(c, &o));
    script_is_met(f);
    c = under_tls(f, "line '+OK'; expect 'CAPA'; capa 'SASL XOAUTH2'; expect-prefix 'AUTH XOAUTH2 '"
                     "; line '+ eyJzdGF0dXMiOiI0MDAifQ=='; expect ''; line '-ERR no'; expect-eof");
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
    assert_error(c, POP3_ERR_REFUSED, "400");
    assert_int_equal(pop3_client_error(c)->refused, POP3_REFUSED_TOKEN);
}

static void what_a_report_said_is_told_when_the_server_closes_behind_it(void **state)
{
    fixture *f = *state;
    pop3_login_options o = with_token();
    pop3_client *c =
        under_tls(f, "line '+OK'; expect 'CAPA'; capa 'SASL XOAUTH2'; expect-prefix 'AUTH XOAUTH2 '"
                     "; line '+ eyJzdGF0dXMiOiI0MDAifQ=='; expect ''; close");
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
    assert_error(c, POP3_ERR_REFUSED, "400");
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
    assert_status(POP3_ERR_CLOSED, pop3_client_noop(c)); /* the end itself, to the next call */
}

/* ---- +OK where + belongs ---- */

static void ok_before_enough_was_said_is_no_login(void **state)
{
    logs_in(*state, "LOGIN",
            "line '+OK'; expect 'CAPA'; capa 'SASL LOGIN'; expect 'AUTH LOGIN'; line '+OK'"
            "; expect 'dGlt'; line '+OK'; expect 'dGFuc3RhYWY='; line '+OK in'; expect-eof");
    is_refused(*state, "LOGIN",
               "line '+OK'; expect 'CAPA'; capa 'SASL LOGIN'; expect 'AUTH LOGIN'; line '+OK'"
               "; expect 'dGlt'; line '-ERR unknown command'; expect-eof",
               POP3_REFUSED_MECHANISM);
}

/* ---- another method ---- */

static void a_refused_method_is_followed_by_two_others_at_most(void **state)
{
    is_refused(*state, NULL,
               "line '+OK <1@h>'; expect 'CAPA'; capa 'USER' 'SASL PLAIN LOGIN CRAM-MD5'"
               "; expect-prefix 'AUTH PLAIN '; line '-ERR no'; expect 'AUTH PLAIN'; line '-ERR no'"
               "; expect 'AUTH LOGIN'; line '-ERR no'; expect 'USER tim'; line '-ERR no'"
               "; expect-eof",
               POP3_REFUSED_CREDENTIALS);
}

static void scram_is_followed_by_scram_and_never_shows_the_password(void **state)
{
    is_refused(*state, NULL,
               "line '+OK <1@h>'; expect 'CAPA'; capa 'USER' 'SASL PLAIN SCRAM-SHA-1 SCRAM-SHA-256 "
               "CRAM-MD5'"
               "; expect-prefix 'AUTH SCRAM-SHA-256 '; line '-ERR no'; expect 'AUTH SCRAM-SHA-256'"
               "; line '-ERR no'; expect-prefix 'AUTH SCRAM-SHA-1 '; line '-ERR no'"
               "; expect 'AUTH SCRAM-SHA-1'; line '-ERR no'; expect-eof",
               POP3_REFUSED_CREDENTIALS);
}

static void nothing_else_is_tried_when_a_code_says_why(void **state)
{
    static const char *const codes[] = {"AUTH", "IN-USE", "SYS/TEMP", "SYS/PERM", "LOGIN-DELAY"};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        char script[300];
        snprintf(script, sizeof script,
                 "line '+OK'; expect 'CAPA'; capa 'USER' 'SASL PLAIN LOGIN'"
                 "; expect-prefix 'AUTH PLAIN '; line '-ERR [%s] no'; expect-eof",
                 codes[i]);
        is_refused_for(*state, NULL, script, POP3_REFUSED_CREDENTIALS, i != 0 && i != 3);
    }
}

static void nothing_else_is_tried_when_the_words_say_later(void **state)
{
    fixture *f = *state;
    static const char *const words[] = {"maildrop already locked", "could not acquire lock",
                                        "Too many connections", "temporarily unavailable"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char script[300];
        snprintf(script, sizeof script,
                 "line '+OK'; expect 'CAPA'; capa 'USER' 'SASL PLAIN LOGIN'"
                 "; expect-prefix 'AUTH PLAIN '; line '-ERR %s'; expect-eof",
                 words[i]);
        is_refused_for(f, NULL, script, POP3_REFUSED_CREDENTIALS, true);
    }
}

static void a_named_method_is_the_only_one(void **state)
{
    is_refused(*state, "PLAIN",
               "line '+OK'; expect 'CAPA'; capa 'USER' 'SASL PLAIN LOGIN'"
               "; expect-prefix 'AUTH PLAIN '; line '-ERR no'; expect 'AUTH PLAIN'; line '-ERR no'"
               "; expect-eof",
               POP3_REFUSED_CREDENTIALS);
}

static void the_first_refusal_is_told_when_the_server_closes_behind_it(void **state)
{
    fixture *f = *state;
    pop3_login_options o = with_password(NULL);
    pop3_client *c =
        under_tls(f, "line '+OK'; expect 'CAPA'; capa 'SASL CRAM-MD5' 'USER'; expect 'USER tim'"
                     "; line '-ERR no such user'; expect 'AUTH CRAM-MD5'; close");
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
    assert_error(c, POP3_ERR_REFUSED, "no such user");
}

static void apop_is_followed_by_user_where_plaintext_is_allowed(void **state)
{
    fixture *f = *state;
    for (int allowed = 0; allowed < 2; allowed++) {
        pop3_login_options o = with_password(NULL);
        o.allow_plaintext = allowed;
        f->tls = false;
        pop3_client *c = in_the_clear(
            f, allowed ? "line '+OK <1@h>'; expect 'CAPA'; line '-ERR'; expect-prefix 'APOP tim '"
                         "; line '-ERR permission denied'; expect 'USER tim'; line '+OK'"
                         "; expect 'PASS tanstaaf'; line '+OK'; expect-eof"
                       : "line '+OK <1@h>'; expect 'CAPA'; line '-ERR'; expect-prefix 'APOP tim '"
                         "; line '-ERR permission denied'; expect-eof");
        assert_status(allowed ? POP3_OK : POP3_ERR_REFUSED, pop3_login(c, &o));
        if (!allowed)
            assert_int_equal(pop3_client_error(c)->refused, POP3_REFUSED_APOP);
        script_is_met(f);
    }
}

/* As solid-pop3d does, and Mailutils with [AUTH]. */
static void a_server_without_an_apop_secret_for_the_user_is_asked_for_user(void **state)
{
    static const struct {
        const char *script;
        const char *sessions; /* of two logins */
    } servers[] = {
        {"on APOP { line '-ERR authentication failed' ; close }\nserve\n", "3"},
        {"on APOP { close }\nserve\n", "3"},
        {"on APOP { line '-ERR [AUTH] no' }\nserve\n", "2"},
        {"on CAPA { line '-ERR what?' }\non APOP { close }\nserve\n", "4"}, /* CAPA first */
    };
    fixture *f = *state;
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        pop3_login_options o = with_password(NULL);
        o.allow_plaintext = true;
        f->tls = false;
        f->options.traits = (pop3_server_traits){0};
        play(f, servers[i].script, "--mail", scratch_dir(), "--apop", "--no-capa", "SASL",
             "--max-sessions", servers[i].sessions, NULL);
        pop3_client *c = client_connected(f);
        if (i == 0)
            assert_ok(c, pop3_client_capa(c, NULL)); /* which the caller may have asked for */
        assert_ok(c, pop3_login(c, &o));
        assert_string_equal(pop3_login_outcome(c)->mechanism, "USER");
        assert_ok(c, pop3_client_quit(c));
        assert_int_equal(pop3_client_traits(c)->flags & POP3_TRAIT_NO_APOP, POP3_TRAIT_NO_APOP);
        f->options.traits = *pop3_client_traits(c);
        c = client_connected(f);
        assert_ok(c, pop3_login(c, &o));
        assert_ok(c, pop3_client_quit(c));
        script_is_met(f);
    }
}

static void a_refused_apop_shows_no_password_where_that_was_not_allowed(void **state)
{
    static const char *const answers[] = {
        "on APOP { line '-ERR no' ; close }\nserve\n",
        "on APOP { close }\nserve\n",
        "on APOP { line '-ERR [AUTH] no' }\nserve\n",
    };
    fixture *f = *state;
    for (size_t i = 0; i < 2 * sizeof answers / sizeof *answers; i++) {
        pop3_login_options o = with_password(i % 2 == 0 ? NULL : "APOP");
        o.allow_plaintext = i % 2 == 1; /* a method that is named is the only one */
        f->tls = false;
        play(f, answers[i / 2], "--mail", scratch_dir(), "--apop", "--no-capa", "SASL",
             "--max-sessions", "1", NULL);
        pop3_client *c = client_connected(f);
        assert_status(i / 2 == 1 ? POP3_ERR_CLOSED : POP3_ERR_REFUSED, pop3_login(c, &o));
        assert_int_equal(pop3_client_traits(c)->flags, 0);
        pop3_client_close(c);
        script_is_met(f);
    }
}

static void a_wrong_password_teaches_nothing_about_apop(void **state)
{
    fixture *f = *state;
    pop3_login_options o = with_password(NULL);
    o.allow_plaintext = true;
    f->tls = false;
    play(f, "on APOP { line '-ERR no' ; close }\nserve\n", "--mail", scratch_dir(), "--apop",
         "--no-capa", "SASL", "--password", "another", "--max-sessions", "2", NULL);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
    assert_string_equal(pop3_login_outcome(c)->mechanism, "USER");
    assert_int_equal(pop3_client_traits(c)->flags, 0);
    script_is_met(f);
}

/* ---- servers without CAPA ---- */

static void user_by_name_sends_no_capa(void **state)
{
    logs_in(*state, "USER",
            "line '+OK'; expect 'USER tim'; line '+OK'; expect 'PASS tanstaaf'; line '+OK'"
            "; expect-eof");
}

static void a_server_that_closes_on_capa_is_done_without(void **state)
{
    static const char *const ends[] = {"close", "reset", "line '-ERR what?'; close"};
    fixture *f = *state;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        for (int tls = 0; tls < 2; tls++) {
            char script[300];
            pop3_login_options o = with_password(NULL);
            o.allow_plaintext = true;
            snprintf(script, sizeof script, "on CAPA { %s }\nserve\n", ends[i]);
            f->tls = tls;
            f->options.traits = (pop3_server_traits){0};
            play(f, script, "--mail", scratch_dir(), "--max-sessions", "2", NULL);
            pop3_client *c = client_connected(f);
            assert_ok(c, pop3_login(c, &o));
            assert_int_equal(pop3_client_traits(c)->flags, POP3_TRAIT_NO_CAPA);
            assert_int_equal(pop3_client_is_encrypted(c), tls);
            assert_string_equal(pop3_login_outcome(c)->mechanism, "USER");
            assert_ok(c, pop3_client_quit(c));
            script_is_met(f);
        }
    }
}

static void a_server_that_closes_on_capa_after_the_login_is_asked_before_alone(void **state)
{
    fixture *f = *state;
    for (int refuses = 0; refuses < 2; refuses++) {
        for (int tls = 0; tls < 2; tls++) {
            pop3_login_options o = with_password("USER");
            o.allow_plaintext = o.ask_capabilities = true;
            f->tls = tls;
            f->options.traits = (pop3_server_traits){0};
            play(f, NULL, "--mail", scratch_dir(), "--late-capa", refuses ? "refuse" : "close",
                 "--max-sessions", "2", NULL);
            pop3_client *c = client_connected(f);
            assert_ok(c, pop3_login(c, &o));
            if (refuses) { /* the refusal ended the login well, before anything had ended */
                assert_status(POP3_ERR_CLOSED, pop3_client_stat(c, NULL));
                assert_int_equal(pop3_client_traits(c)->flags, POP3_TRAIT_NO_LATE_CAPA);
                f->options.traits = *pop3_client_traits(c);
                c = client_connected(f);
                assert_ok(c, pop3_login(c, &o));
            }
            assert_ok(c, pop3_client_stat(c, NULL));
            assert_int_equal(pop3_client_traits(c)->flags, POP3_TRAIT_NO_LATE_CAPA);
            assert_int_equal(pop3_client_is_encrypted(c), tls);
            assert_ok(c, pop3_client_quit(c));
            script_is_met(f);
        }
    }
}

static void capa_that_was_refused_is_not_asked_again_after_the_login(void **state)
{
    fixture *f = *state;
    pop3_login_options o = with_password(NULL);
    o.ask_capabilities = true;
    pop3_client *c = under_tls(f, "line '+OK'; expect 'CAPA'; line '-ERR'; expect 'USER tim'"
                                  "; line '+OK'; expect 'PASS tanstaaf'; line '+OK'; expect-eof");
    assert_ok(c, pop3_login(c, &o));
    script_is_met(f);
}

static void capa_that_is_known_to_close_is_not_sent(void **state)
{
    fixture *f = *state;
    f->options.traits.flags = POP3_TRAIT_NO_CAPA;
    logs_in(f, NULL,
            "line '+OK'; expect 'USER tim'; line '+OK'; expect 'PASS tanstaaf'; line '+OK'"
            "; expect-eof");
}

static void a_list_that_does_not_come_is_done_without(void **state)
{
    fixture *f = *state;
    pop3_login_options o = with_password(NULL);
    f->tls = true;
    serve(f, "on CAPA { line '+OK' ; expect-eof }\nserve\n", "--mail", scratch_dir(), NULL);
    f->options.timeout_ms = 50;
    pop3_status status;
    do {
        status = pop3_login(client_connected(f), &o);
        if (status == POP3_OK)
            status = pop3_client_quit(f->client);
    } while (needs_more_time(f, status, NULL));
    assert_ok(f->client, status);
}

static void nobody_comes_back_once_something_else_was_said(void **state)
{
    fixture *f = *state;
    pop3_login_options o = with_password(NULL);
    pop3_client *c = under_tls(f, "line '+OK'; expect 'NOOP'; line '-ERR'; expect 'CAPA'; close");
    assert_status(POP3_ERR_REFUSED, pop3_client_noop(c));
    assert_status(POP3_ERR_CLOSED, pop3_login(c, &o));
    assert_int_equal(pop3_client_traits(c)->flags, 0);
}

/* The other connection would be in the clear. */
static void nobody_comes_back_after_an_stls_of_the_callers_own(void **state)
{
    fixture *f = *state;
    pop3_login_options o = with_password("USER");
    o.allow_plaintext = o.ask_capabilities = true;
    f->options.tls = trusting(f);
    f->options.host = "localhost";
    play(f, NULL, "--mail", scratch_dir(), "--late-capa", "close", "--cert",
         certificate("good.pem"), "--key", certificate("good.key"), "--max-sessions", "1", NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_stls(c));
    assert_status(POP3_ERR_CLOSED, pop3_login(c, &o));
    assert_int_equal(pop3_client_traits(c)->flags, POP3_TRAIT_NO_LATE_CAPA);
    script_is_met(f);
}

static void stls_goes_without_capa_to_a_server_that_has_none(void **state)
{
    fixture *f = *state;
    f->options.traits.flags = POP3_TRAIT_NO_CAPA;
    f->options.tls = trusting(f);
    f->options.host = "localhost";
    play(f,
         "line '+OK'; expect 'STLS'; line '+OK'; tls; expect 'USER tim'; line '+OK'"
         "; expect 'PASS tanstaaf'; line '+OK'; expect-eof",
         "--cert", certificate("good.pem"), "--key", certificate("good.key"), NULL);
    f->options.security = POP3_SECURITY_STLS;
    pop3_login_options o = with_password(NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_login(c, &o));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_response_that_was_not_heard_is_given_again),
        cmocka_unit_test(scram_begins_anew_when_its_first_message_was_not_heard),
        cmocka_unit_test(a_refused_response_goes_on_a_line_of_its_own_and_that_is_learned),
        cmocka_unit_test(a_refused_response_goes_on_another_connection_where_the_server_closes),
        cmocka_unit_test(
            a_login_that_was_taken_is_no_refusal_though_another_method_was_refused_before),
        cmocka_unit_test(a_token_that_was_not_heard_is_given_again_and_a_report_is_none),
        cmocka_unit_test(what_a_report_said_is_told_when_the_server_closes_behind_it),
        cmocka_unit_test(ok_before_enough_was_said_is_no_login),
        cmocka_unit_test(a_refused_method_is_followed_by_two_others_at_most),
        cmocka_unit_test(scram_is_followed_by_scram_and_never_shows_the_password),
        cmocka_unit_test(nothing_else_is_tried_when_a_code_says_why),
        cmocka_unit_test(nothing_else_is_tried_when_the_words_say_later),
        cmocka_unit_test(a_named_method_is_the_only_one),
        cmocka_unit_test(the_first_refusal_is_told_when_the_server_closes_behind_it),
        cmocka_unit_test(apop_is_followed_by_user_where_plaintext_is_allowed),
        cmocka_unit_test(a_server_without_an_apop_secret_for_the_user_is_asked_for_user),
        cmocka_unit_test(a_refused_apop_shows_no_password_where_that_was_not_allowed),
        cmocka_unit_test(a_wrong_password_teaches_nothing_about_apop),
        cmocka_unit_test(user_by_name_sends_no_capa),
        cmocka_unit_test(a_server_that_closes_on_capa_is_done_without),
        cmocka_unit_test(a_server_that_closes_on_capa_after_the_login_is_asked_before_alone),
        cmocka_unit_test(capa_that_was_refused_is_not_asked_again_after_the_login),
        cmocka_unit_test(capa_that_is_known_to_close_is_not_sent),
        cmocka_unit_test(a_list_that_does_not_come_is_done_without),
        cmocka_unit_test(nobody_comes_back_once_something_else_was_said),
        cmocka_unit_test(nobody_comes_back_after_an_stls_of_the_callers_own),
        cmocka_unit_test(stls_goes_without_capa_to_a_server_that_has_none),
    };
    return run_suite("dialects", tests, sizeof tests / sizeof *tests, NULL, 0);
}
