/* What a login is given: names, secrets, callbacks and choices; what cannot be used is refused
 * before anything is sent, and the connection stays good. */
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

/* A client under TLS of a server that plays a script. */
static pop3_client *client_of(fixture *f, const char *script)
{
    f->tls = true;
    play(f, script, NULL);
    return client_connected(f);
}

static void fails(pop3_client *c, const pop3_login_options *o, pop3_status status, const char *part)
{
    assert_status(status, pop3_login(c, o));
    assert_error(c, status, part);
    assert_int_equal(pop3_client_state(c), POP3_STATE_AUTHORIZATION);
}

/* ---- options ---- */

static void names_that_are_empty_too_long_or_no_text_are_refused(void **state)
{
    char too_long[1026];
    memset(too_long, 'x', 1025);
    too_long[1025] = '\0';
    const char *const wrong[] = {"", too_long, "\xff", "a\x7f", "a\tb", "a\nb"};
    pop3_client *c = client_of(*state, "line '+OK'; expect-eof");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        pop3_login_options o = with_password(NULL);
        const char **const fields[] = {&o.user, &o.authzid, &o.realm, &o.service_host,
                                       &o.mechanism};
        for (size_t k = 0; k < sizeof fields / sizeof fields[0]; k++) {
            o = with_password(NULL);
            *fields[k] = wrong[i];
            fails(c, &o, POP3_ERR_ARGUMENT, "an option is empty, too long");
        }
    }
}

static void choices_that_there_are_not_are_refused(void **state)
{
    pop3_client *c = client_of(*state, "line '+OK'; expect-eof");
    static const int beyond[] = {-1, 99};
    for (size_t i = 0; i < 2; i++) {
        pop3_login_options o = with_password(NULL);
        o.policy = (pop3_login_policy)beyond[i];
        fails(c, &o, POP3_ERR_ARGUMENT, "an option");
        o = with_password(NULL);
        o.initial_response = (pop3_initial_response)beyond[i];
        fails(c, &o, POP3_ERR_ARGUMENT, "an option");
    }
    pop3_login_options o = with_password(NULL);
    o.channel_binding = "tls-none";
    fails(c, &o, POP3_ERR_ARGUMENT, "an option");
    assert_status(POP3_ERR_ARGUMENT, pop3_login(c, NULL));
}

static void secrets_that_are_too_long_or_no_text_are_refused(void **state)
{
    char *long_one = malloc(49154);
    assert_non_null(long_one);
    memset(long_one, 'x', 49153);
    long_one[49153] = '\0';
    const char *const wrong[] = {long_one, "\xff", "a\rb", "a\nb"};
    pop3_client *c = client_of(*state, "line '+OK'; expect-eof");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        pop3_login_options o = with_password(NULL);
        o.password = wrong[i];
        fails(c, &o, POP3_ERR_ARGUMENT, "an option");
        o = with_password(NULL);
        o.token = wrong[i];
        fails(c, &o, POP3_ERR_ARGUMENT, "an option");
    }
    free(long_one);
}

static void a_method_without_what_it_needs_is_an_argument_error(void **state)
{
    pop3_client *c = client_of(
        *state, "line '+OK'; expect 'CAPA'; capa 'USER' 'SASL PLAIN XOAUTH2'; expect-eof");
    pop3_login_options o = with_password("PLAIN");
    o.user = NULL;
    fails(c, &o, POP3_ERR_ARGUMENT, "no user name was given");
    o = with_password("PLAIN");
    o.password = NULL;
    fails(c, &o, POP3_ERR_ARGUMENT, "needs a password or token");
    o = with_password("XOAUTH2"); /* which a password is not good for */
    fails(c, &o, POP3_ERR_ARGUMENT, "needs a password or token");
}

static void a_password_too_long_for_a_command_is_an_argument_error(void **state)
{
    char password[9001];
    memset(password, 'x', 9000);
    password[9000] = '\0';
    pop3_client *c = client_of(*state, "line '+OK'; expect 'USER tim'; line '+OK'; expect-eof");
    pop3_login_options o = with_password("USER");
    o.password = password;
    fails(c, &o, POP3_ERR_ARGUMENT, "too long for a command");
}

static void a_named_method_is_tried_on_a_server_without_capa(void **state)
{
    pop3_client *c = client_of(*state, "line '+OK'; expect 'CAPA'; line '-ERR what?'"
                                       "; expect-prefix 'AUTH PLAIN '; line '+OK'; expect-eof");
    pop3_login_options o = with_password("PLAIN");
    assert_ok(c, pop3_login(c, &o));
}

static void a_named_revealing_method_is_used_in_the_clear_when_that_is_allowed(void **state)
{
    fixture *f = *state;
    play(f,
         "line '+OK'; expect 'USER tim'; line '+OK'"
         "; expect 'PASS tanstaaf'; line '+OK'; expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    pop3_login_options o = with_password("USER");
    o.allow_plaintext = true;
    assert_ok(c, pop3_login(c, &o));
}

static void sasl_names_of_what_is_no_sasl_are_ignored(void **state)
{
    pop3_client *c = client_of(*state, "line '+OK <1@h>'; expect 'CAPA'"
                                       "; capa 'SASL APOP USER NO-SUCH PLAIN'"
                                       "; expect-prefix 'AUTH PLAIN '; line '+OK'; expect-eof");
    pop3_login_options o = with_password(NULL);
    assert_ok(c, pop3_login(c, &o));
}

/* ---- the callback ---- */

/* What a callback answers. */
typedef struct source {
    pop3_status password, token;
    const char *value;
    size_t len;
    pop3_client *busy; /* a client to try a blocking call on */
    pop3_status inside;
} source;

static pop3_status from_source(void *ctx, pop3_secret_kind kind, const char *user, char *buffer,
                               size_t size, size_t *len)
{
    source *s = ctx;
    (void)user;
    assert_true(s->len <= size || s->value == NULL);
    if (s->value != NULL)
        memcpy(buffer, s->value, s->len);
    *len = s->len;
    if (s->busy != NULL) {
        pop3_login_options o = with_password(NULL);
        s->inside = pop3_login(s->busy, &o);
    }
    return kind == POP3_SECRET_TOKEN ? s->token : s->password;
}

static pop3_login_options with_source(source *s, const char *mechanism)
{
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    o.user = "tim";
    o.mechanism = mechanism;
    o.secret = from_source;
    o.secret_ctx = s;
    return o;
}

static void what_a_callback_gives_is_checked(void **state)
{
    static const source wrong[] = {
        {.value = NULL, .len = 49153}, /* more than there was room for */
        {.value = "a\0b", .len = 3},
        {.value = "\xff", .len = 1},
        {.password = POP3_ERR_ARGUMENT},
        {.password = POP3_ERR_NOT_OFFERED}, /* though the method was named */
    };
    pop3_client *c = client_of(*state, "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN'; expect-eof");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        source s = wrong[i];
        pop3_login_options o = with_source(&s, "PLAIN");
        fails(c, &o, POP3_ERR_ARGUMENT, "needs a password or token, which is missing");
    }
}

static void a_callback_that_has_nothing_leaves_no_method(void **state)
{
    source s = {.password = POP3_ERR_NOT_OFFERED, .token = POP3_ERR_NOT_OFFERED};
    pop3_client *c =
        client_of(*state, "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN XOAUTH2'; expect-eof");
    pop3_login_options o = with_source(&s, NULL);
    fails(c, &o, POP3_ERR_NOT_OFFERED, "no mechanism that can be used");
}

static void a_login_without_any_secret_says_so(void **state)
{
    pop3_client *c = client_of(*state, "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN'; expect-eof");
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    o.user = "work";
    fails(c, &o, POP3_ERR_ARGUMENT, "no password or token was given");
}

static void a_secret_that_was_forgotten_is_not_said_to_be_the_servers_fault(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'CAPA'; capa 'USER' 'SASL PLAIN'; expect-eof", NULL);
    pop3_client *c = client_connected(f);
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    o.user = "work";
    fails(c, &o, POP3_ERR_ARGUMENT, "no password or token was given");
    o.password = "tanstaaf";
    fails(c, &o, POP3_ERR_INSECURE, "every mechanism that the server offers would reveal");
}

static void a_user_name_that_was_forgotten_is_not_said_to_be_the_servers_fault(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'CAPA'; capa 'SASL SCRAM-SHA-256 PLAIN'; expect-eof", NULL);
    pop3_client *c = client_connected(f);
    pop3_login_options o = with_password(NULL);
    o.user = NULL;
    fails(c, &o, POP3_ERR_ARGUMENT, "no user name was given");
    o.password = NULL;
    fails(c, &o, POP3_ERR_ARGUMENT, "no user name was given");
}

static void under_tls_a_login_without_user_and_secret_is_by_certificate(void **state)
{
    pop3_client *c = client_of(*state, "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN'; expect-eof");
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    fails(c, &o, POP3_ERR_NOT_OFFERED, "no mechanism that can be used");
    o.password = "tanstaaf";
    fails(c, &o, POP3_ERR_ARGUMENT, "no user name was given");
}

static void a_callback_is_not_asked_beside_a_secret_that_was_given(void **state)
{
    source s = {.password = POP3_ERR_CANCELLED, .token = POP3_ERR_CANCELLED};
    pop3_client *c =
        client_of(*state, "line '+OK'; expect 'CAPA'; capa 'USER' 'SASL PLAIN XOAUTH2'"
                          "; expect-prefix 'AUTH XOAUTH2 '; line '-ERR [AUTH] no'"
                          "; expect-prefix 'AUTH PLAIN '; line '-ERR [AUTH] no'; expect-eof");
    pop3_login_options o = with_source(&s, NULL);
    o.token = "t0ken";
    fails(c, &o, POP3_ERR_REFUSED, "the server refused");
    o = with_source(&s, NULL);
    o.password = "tanstaaf";
    fails(c, &o, POP3_ERR_REFUSED, "the server refused");
}

static void a_blocking_call_inside_of_the_callback_is_a_state_error(void **state)
{
    source s = {.value = "tanstaaf", .len = 8};
    pop3_client *c = client_of(*state, "line '+OK'; expect 'CAPA'; capa 'SASL PLAIN'"
                                       "; expect-prefix 'AUTH PLAIN '; line '+OK'; expect-eof");
    s.busy = c;
    pop3_login_options o = with_source(&s, NULL);
    assert_ok(c, pop3_login(c, &o));
    assert_status(POP3_ERR_STATE, s.inside);
}

/* ---- beginning ---- */

static void a_login_begins_only_where_it_can(void **state)
{
    fixture *f = *state;
    pop3_login_options o = with_password(NULL);
    pop3_handlers wrong = POP3_HANDLERS_INIT;
    pop3_command noop = POP3_COMMAND_INIT;
    wrong.size = 1;
    noop.kind = POP3_CMD_NOOP;
    assert_status(POP3_ERR_ARGUMENT, pop3_login_start(NULL, &o, NULL));
    pop3_client *c = client_of(f, "line '+OK'; expect 'NOOP'; line '+OK'; expect 'CAPA'"
                                  "; capa 'SASL PLAIN'; expect-prefix 'AUTH PLAIN '; line '+OK'"
                                  "; expect-eof");
    assert_status(POP3_ERR_ARGUMENT, pop3_login_start(c, &o, &wrong));
    assert_status(POP3_OK, pop3_client_submit(c, &noop, NULL));
    assert_status(POP3_ERR_STATE, pop3_login_start(c, &o, NULL)); /* a command is under way */
    assert_ok(c, pop3_client_run(c));
    assert_status(POP3_OK, pop3_login_start(c, &o, NULL)); /* nobody is told */
    assert_ok(c, pop3_client_run(c));
    assert_int_equal(pop3_client_state(c), POP3_STATE_TRANSACTION);
}

/* A command's end that begins a login. */
static void begin_login(void *ctx, pop3_client *c, const pop3_result *result)
{
    pop3_status *status = ctx;
    pop3_login_options o = with_password(NULL);
    (void)result;
    *status = pop3_login_start(c, &o, NULL);
}

static void a_login_may_begin_inside_of_a_handler(void **state)
{
    pop3_status status = POP3_PENDING;
    pop3_command noop = POP3_COMMAND_INIT;
    pop3_handlers h = POP3_HANDLERS_INIT;
    noop.kind = POP3_CMD_NOOP;
    h.done = begin_login;
    h.ctx = &status;
    pop3_client *c = client_of(*state, "line '+OK'; expect 'NOOP'; line '+OK'; expect 'CAPA'"
                                       "; capa 'SASL PLAIN'; expect-prefix 'AUTH PLAIN '"
                                       "; line '+OK'; expect-eof");
    assert_status(POP3_OK, pop3_client_submit(c, &noop, &h));
    assert_ok(c, pop3_client_run(c));
    assert_status(POP3_OK, status);
    assert_int_equal(pop3_client_state(c), POP3_STATE_TRANSACTION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_are_empty_too_long_or_no_text_are_refused),
        cmocka_unit_test(choices_that_there_are_not_are_refused),
        cmocka_unit_test(secrets_that_are_too_long_or_no_text_are_refused),
        cmocka_unit_test(a_method_without_what_it_needs_is_an_argument_error),
        cmocka_unit_test(a_password_too_long_for_a_command_is_an_argument_error),
        cmocka_unit_test(a_named_method_is_tried_on_a_server_without_capa),
        cmocka_unit_test(a_named_revealing_method_is_used_in_the_clear_when_that_is_allowed),
        cmocka_unit_test(sasl_names_of_what_is_no_sasl_are_ignored),
        cmocka_unit_test(what_a_callback_gives_is_checked),
        cmocka_unit_test(a_callback_that_has_nothing_leaves_no_method),
        cmocka_unit_test(a_login_without_any_secret_says_so),
        cmocka_unit_test(a_secret_that_was_forgotten_is_not_said_to_be_the_servers_fault),
        cmocka_unit_test(a_user_name_that_was_forgotten_is_not_said_to_be_the_servers_fault),
        cmocka_unit_test(under_tls_a_login_without_user_and_secret_is_by_certificate),
        cmocka_unit_test(a_callback_is_not_asked_beside_a_secret_that_was_given),
        cmocka_unit_test(a_blocking_call_inside_of_the_callback_is_a_state_error),
        cmocka_unit_test(a_login_begins_only_where_it_can),
        cmocka_unit_test(a_login_may_begin_inside_of_a_handler),
    };
    return run_suite("options", tests, sizeof tests / sizeof *tests, NULL, 0);
}
