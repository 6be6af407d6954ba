/* USER and PASS in one window: when they go together, and what comes of each answer. */
#define _POSIX_C_SOURCE 200809L
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANNOUNCED "line '+OK'; expect 'CAPA'; capa 'USER' 'PIPELINING'"
#define TOGETHER  ANNOUNCED "; expect 'USER tim'; expect 'PASS tanstaaf'"

static pop3_login_options together(void)
{
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    o.user = "tim";
    o.password = "tanstaaf";
    o.allow_plaintext = true;
    o.pipeline = true;
    return o;
}

static pop3_client *client_of(fixture *f, const char *script)
{
    play(f, script, NULL);
    return client_connected(f);
}

/* Logs in to a server that falls silent, and has little time: at `where`, or after the login
 * (NULL). */
static pop3_status impatient_login(fixture *f, const char *script, const char *where)
{
    pop3_login_options o = together();
    pop3_status status;
    serve(f, script, NULL);
    f->options.timeout_ms = 50;
    do
        status = pop3_login(client_connected(f), &o);
    while (needs_more_time(f, status, where));
    return status;
}

/* The script answers nothing before both have come. */
static void they_go_together_where_both_are_announced(void **state)
{
    pop3_login_options o = together();
    pop3_client *c = client_of(*state, TOGETHER "; line '+OK'; line '+OK welcome'; expect-eof");
    assert_ok(c, pop3_login(c, &o));
    assert_string_equal(pop3_login_outcome(c)->mechanism, "USER");
    assert_true(pop3_login_outcome(c)->pipelined);
    assert_int_equal(pop3_client_state(c), POP3_STATE_TRANSACTION);
    assert_str(pop3_client_reply(c)->text, "welcome");
}

/* CAPA costs a round trip, and saves it at once; the window behind the login needs no other. */
static void they_go_together_where_user_is_named(void **state)
{
    pop3_login_options o = together();
    o.mechanism = "USER";
    pop3_client *c = client_of(*state, TOGETHER "; line '+OK'; line '+OK welcome'; expect-eof");
    assert_ok(c, pop3_login(c, &o));
    assert_true(pop3_login_outcome(c)->pipelined);
}

static void no_capa_is_asked_where_user_is_named_and_may_not_go_together(void **state)
{
    fixture *f = *state;
    pop3_login_options o = together();
    o.mechanism = "USER";
    f->options.engine.pipelining = POP3_PIPELINING_OFF;
    pop3_client *c =
        client_of(f, "line '+OK'; expect 'USER tim'; line '+OK'; expect 'PASS tanstaaf'"
                     "; line '+OK'; expect-eof");
    assert_ok(c, pop3_login(c, &o));
}

/* USER is refused: had PASS been sent too, the script would not see the end of input next. */
static void one_by_one(fixture *f, const char *capa, const pop3_login_options *o)
{
    char script[200];
    snprintf(script, sizeof script,
             "line '+OK'; expect 'CAPA'; %s; expect 'USER tim'; line '-ERR no'; expect-eof", capa);
    pop3_client *c = client_of(f, script);
    assert_status(POP3_ERR_REFUSED, pop3_login(c, o));
    assert_false(pop3_login_outcome(c)->pipelined);
    assert_int_equal(pop3_client_state(c), POP3_STATE_AUTHORIZATION);
}

static void they_go_one_by_one_unless_asked_to_go_together(void **state)
{
    pop3_login_options o = together();
    o.pipeline = false;
    one_by_one(*state, "capa 'USER' 'PIPELINING'", &o);
}

static void they_go_one_by_one_without_pipelining(void **state)
{
    pop3_login_options o = together();
    one_by_one(*state, "capa 'USER'", &o);
}

/* A server that does not announce USER may be about to refuse it. */
static void they_go_one_by_one_where_user_is_not_announced(void **state)
{
    pop3_login_options o = together();
    one_by_one(*state, "capa 'PIPELINING'", &o);
}

static void they_go_one_by_one_without_capabilities(void **state)
{
    fixture *f = *state;
    pop3_login_options o = together();
    f->options.engine.pipelining = POP3_PIPELINING_ON;
    one_by_one(f, "line '-ERR what?'", &o);
}

static void they_go_one_by_one_when_pipelining_is_off(void **state)
{
    fixture *f = *state;
    pop3_login_options o = together();
    f->options.engine.pipelining = POP3_PIPELINING_OFF;
    one_by_one(f, "capa 'USER' 'PIPELINING'", &o);
}

static void they_go_one_by_one_through_a_window_of_one(void **state)
{
    fixture *f = *state;
    pop3_login_options o = together();
    f->options.engine.max_in_flight = 1;
    one_by_one(f, "capa 'USER' 'PIPELINING'", &o);
}

static void a_password_that_fits_no_command_is_not_sent_and_user_ends_well(void **state)
{
    pop3_login_options o = together();
    char *password = malloc(9001);
    assert_non_null(password);
    memset(password, 'x', 9000);
    password[9000] = '\0';
    o.password = password;
    pop3_client *c = client_of(*state, ANNOUNCED "; expect 'USER tim'; line '+OK'; expect 'NOOP'"
                                                 "; line '+OK'; expect-eof");
    assert_status(POP3_ERR_ARGUMENT, pop3_login(c, &o));
    assert_error(c, POP3_ERR_ARGUMENT, "too long for a command");
    assert_ok(c, pop3_client_noop(c));
    free(password);
}

/* ---- refusals ---- */

/* How a login ended that was started. */
typedef struct ending {
    pop3_status status;
    pop3_response_code code;
    char text[80];
} ending;

static void note_ending(void *ctx, pop3_client *c, const pop3_result *result)
{
    ending *e = ctx;
    (void)c;
    e->status = result->status;
    e->code = result->reply.code;
    snprintf(e->text, sizeof e->text, "%.*s", (int)result->reply.text.len, result->reply.text.data);
}

/* Starts a login, and goes on until USER has been answered. `e` is told the login's end. */
static pop3_client *login_with_user_answered(fixture *f, const char *script, ending *e)
{
    pop3_login_options o = together();
    pop3_handlers h = POP3_HANDLERS_INIT;
    h.done = note_ending;
    h.ctx = e;
    pop3_client *c = client_of(f, script);
    assert_ok(c, pop3_login_start(c, &o, &h));
    while (!pop3_login_outcome(c)->pipelined) {
        wait_for_clients(&c, 1);
        assert_status(POP3_PENDING, pop3_client_step(c));
    }
    return c;
}

static void a_refusal_of_user_is_what_is_told(void **state)
{
    pop3_login_options o = together();
    pop3_client *c =
        client_of(*state, TOGETHER "; line '-ERR [SYS/TEMP] not today'; line '-ERR USER first'"
                                   "; expect 'NOOP'; line '+OK'; expect-eof");
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
    assert_error(c, POP3_ERR_REFUSED, "not today");
    assert_int_equal(pop3_client_error(c)->code, POP3_CODE_SYS_TEMP);
    assert_str(pop3_client_reply(c)->text, "not today");
    assert_int_equal(pop3_client_state(c), POP3_STATE_AUTHORIZATION);
    assert_ok(c, pop3_client_noop(c));
}

/* Then the connection's end is the next call's business, as after any other refusal. */
static void assert_user_refused(pop3_client *c, pop3_status status)
{
    assert_status(POP3_ERR_REFUSED, status);
    assert_error(c, POP3_ERR_REFUSED, "no such user");
    assert_true(pop3_login_outcome(c)->pipelined);
}

static void refused_then(fixture *f, const char *after)
{
    char script[300];
    pop3_login_options o = together();
    snprintf(script, sizeof script, TOGETHER "; send '-ERR no such user\\r\\n%s", after);
    pop3_client *c = client_of(f, script);
    assert_user_refused(c, pop3_login(c, &o));
}

static void a_refusal_of_user_is_told_when_the_server_closes_behind_it(void **state)
{
    fixture *f = *state;
    refused_then(f, "'; close");
    assert_status(POP3_ERR_CLOSED, pop3_client_noop(f->client));
    assert_error(f->client, POP3_ERR_CLOSED, "closed");
    assert_int_equal(pop3_client_state(f->client), POP3_STATE_DEAD);
}

static void a_refusal_of_user_is_told_when_pass_is_not_answered(void **state)
{
    fixture *f = *state;
    pop3_status status =
        impatient_login(f, TOGETHER "; send '-ERR no such user\\r\\n'; expect-eof", NULL);
    assert_user_refused(f->client, status);
    assert_status(POP3_ERR_TIMEOUT, pop3_client_noop(f->client));
}

static void a_refusal_of_user_is_told_when_pass_is_answered_by_nonsense(void **state)
{
    fixture *f = *state;
    refused_then(f, "nonsense\\r\\n'; expect-eof");
    assert_status(POP3_ERR_PROTOCOL, pop3_client_noop(f->client));
}

/* The login and a call that come between the two answers have each their own reply. */
static void a_refusal_of_user_is_kept_whatever_is_called_meanwhile(void **state)
{
    ending e = {0};
    pop3_client *c = login_with_user_answered(
        *state,
        TOGETHER "; line '-ERR [IN-USE] busy'; expect-silence 50; line '-ERR'; expect 'NOOP'"
                 "; line '+OK'; expect-eof",
        &e);
    assert_ok(c, pop3_client_noop(c));
    assert_status(POP3_ERR_REFUSED, e.status);
    assert_string_equal(e.text, "busy");
    assert_int_equal(e.code, POP3_CODE_IN_USE);
}

static void a_login_that_is_given_up_is_told_as_that(void **state)
{
    ending e = {0};
    pop3_client *c = login_with_user_answered(*state, TOGETHER "; line '-ERR no'; expect-eof", &e);
    pop3_client_close(c);
    assert_status(POP3_ERR_CANCELLED, e.status);
}

/* What the reply to PASS repeats does not hide what was said to USER. */
static void a_refusal_of_user_is_shown_whole(void **state)
{
    pop3_login_options o = together();
    pop3_client *c = client_of(*state, TOGETHER "; line '-ERR [AUTH] nobody of that name is here'"
                                                "; line '-ERR PASS tanstaaf'; expect-eof");
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
    assert_error(c, POP3_ERR_REFUSED, "[AUTH] nobody of that name is here");
    assert_string_equal(pop3_client_error(c)->server_text, "nobody of that name is here");
}

static void a_refusal_of_pass_is_told(void **state)
{
    pop3_login_options o = together();
    pop3_client *c =
        client_of(*state, TOGETHER "; line '+OK'; line '-ERR [AUTH] wrong'; expect-eof");
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
    assert_error(c, POP3_ERR_REFUSED, "wrong");
    assert_int_equal(pop3_client_error(c)->code, POP3_CODE_AUTH);
}

/* Odd, but it has let us in. */
static void a_server_that_refuses_user_and_takes_pass_has_let_us_in(void **state)
{
    pop3_login_options o = together();
    pop3_client *c = client_of(*state, TOGETHER "; line '-ERR what?'; line '+OK'; expect-eof");
    assert_ok(c, pop3_login(c, &o));
    assert_int_equal(pop3_client_state(c), POP3_STATE_TRANSACTION);
}

/* ---- silence ---- */

/* What a server does that announces PIPELINING and reads one command at a time. */
static void a_pass_that_was_thrown_away_shows_in_the_outcome(void **state)
{
    fixture *f = *state;
    pop3_status status = impatient_login(f, TOGETHER "; line '+OK'; expect-eof", "PASS");
    assert_status(POP3_ERR_TIMEOUT, status);
    assert_error(f->client, POP3_ERR_TIMEOUT, "PASS");
    assert_true(pop3_login_outcome(f->client)->pipelined);
}

static void a_server_that_answers_nothing_at_all_is_just_slow(void **state)
{
    fixture *f = *state;
    assert_status(POP3_ERR_TIMEOUT, impatient_login(f, TOGETHER "; expect-eof", "USER"));
    assert_error(f->client, POP3_ERR_TIMEOUT, "USER");
    assert_false(pop3_login_outcome(f->client)->pipelined);
}

/* ---- secrets ---- */

static void trace_into_text(void *ctx, pop3_trace_kind kind, const char *data, size_t len)
{
    (void)kind;
    text_add(ctx, data, len);
}

static void a_password_that_the_reply_to_user_repeats_does_not_show(void **state)
{
    fixture *f = *state;
    text trace = {0};
    pop3_login_options o = together();
    f->options.engine.trace = trace_into_text;
    f->options.engine.trace_ctx = &trace;
    f->options.engine.trace_level = 1;
    pop3_client *c =
        client_of(f, TOGETHER
                  "; line '-ERR [AUTH] unknown: USER tim PASS tanstaaf'; line '-ERR'; expect-eof");
    assert_status(POP3_ERR_REFUSED, pop3_login(c, &o));
    assert_error(c, POP3_ERR_REFUSED, "unknown: USER tim PASS ***");
    assert_null(strstr(pop3_client_error(c)->message, "tanstaaf"));
    assert_null(strstr(pop3_client_error(c)->server_text, "tanstaaf"));
    script_is_met(f);
    assert_non_null(strstr(trace.data, "unknown"));
    assert_null(strstr(trace.data, "tanstaaf"));
    free(trace.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_go_together_where_both_are_announced),
        cmocka_unit_test(they_go_together_where_user_is_named),
        cmocka_unit_test(no_capa_is_asked_where_user_is_named_and_may_not_go_together),
        cmocka_unit_test(they_go_one_by_one_unless_asked_to_go_together),
        cmocka_unit_test(they_go_one_by_one_without_pipelining),
        cmocka_unit_test(they_go_one_by_one_where_user_is_not_announced),
        cmocka_unit_test(they_go_one_by_one_without_capabilities),
        cmocka_unit_test(they_go_one_by_one_when_pipelining_is_off),
        cmocka_unit_test(they_go_one_by_one_through_a_window_of_one),
        cmocka_unit_test(a_password_that_fits_no_command_is_not_sent_and_user_ends_well),
        cmocka_unit_test(a_refusal_of_user_is_what_is_told),
        cmocka_unit_test(a_refusal_of_user_is_told_when_the_server_closes_behind_it),
        cmocka_unit_test(a_refusal_of_user_is_told_when_pass_is_not_answered),
        cmocka_unit_test(a_refusal_of_user_is_told_when_pass_is_answered_by_nonsense),
        cmocka_unit_test(a_refusal_of_user_is_kept_whatever_is_called_meanwhile),
        cmocka_unit_test(a_login_that_is_given_up_is_told_as_that),
        cmocka_unit_test(a_refusal_of_user_is_shown_whole),
        cmocka_unit_test(a_refusal_of_pass_is_told),
        cmocka_unit_test(a_server_that_refuses_user_and_takes_pass_has_let_us_in),
        cmocka_unit_test(a_pass_that_was_thrown_away_shows_in_the_outcome),
        cmocka_unit_test(a_server_that_answers_nothing_at_all_is_just_slow),
        cmocka_unit_test(a_password_that_the_reply_to_user_repeats_does_not_show),
    };
    return run_suite("pipelined", tests, sizeof tests / sizeof *tests, NULL, 0);
}
