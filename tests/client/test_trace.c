/* What the trace is told, and what never. */
#include "support/suite.h"

#include <stdlib.h>
#include <string.h>

static void write_trace(void *ctx, pop3_trace_kind kind, const char *data, size_t len)
{
    static const char marks[] = "><*|#"; /* in the order of pop3_trace_kind */
    text_add(ctx, &marks[kind], 1);
    text_add(ctx, data, len);
    text_add(ctx, "\n", 1);
}

/* A session with a trace of this level. Ends with the connection closed. */
static text traced(fixture *f, int level)
{
    needs_tls();
    text trace = {0};
    f->options.engine.trace = write_trace;
    f->options.engine.trace_ctx = &trace;
    f->options.engine.trace_level = level;
    play(
        f,
        "line '+OK <1.2@host>'\n"
        "expect 'USER joe'; line '+OK'; expect 'PASS hunter2'; line '-ERR [AUTH] no'\n"
        "expect-prefix 'APOP joe '; line '+OK in'; expect 'LIST'; send '+OK 1\\r\\n1 "
        "5\\r\\n.\\r\\n'\n"
        "expect 'RETR 1'; send '+OK\\r\\nbody\\r\\n.\\r\\n'; expect 'XSECRET hunter2'; line '+OK'\n"
        "expect 'QUIT'; line '+OK bye'; expect-eof",
        NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_user(c, "joe"));
    assert_status(POP3_ERR_REFUSED, pop3_client_pass(c, "hunter2"));
    assert_ok(c, pop3_client_apop(c, "joe", "hunter2"));
    assert_ok(c, pop3_client_list(c, NULL, NULL));
    assert_ok(c, pop3_client_retr(c, 1, NULL, NULL));
    assert_ok(c, pop3_client_raw(c, "XSECRET hunter2"));
    assert_ok(c, pop3_client_quit(c));
    text_add(&trace, "", 0);
    return trace;
}

static void level_0_tells_nothing(void **state)
{
    text trace = traced(*state, 0);
    assert_string_equal(trace.data, "");
    free(trace.data);
}

static void level_1_tells_commands_and_replies_without_secrets(void **state)
{
    fixture *f = *state;
    text trace = traced(f, 1);
    /* What comes before the greeting has the port and the cipher in it. */
    char *session = strstr(trace.data, "<+OK <1.2@host>");
    assert_non_null(session);
    assert_string_equal(session, "<+OK <1.2@host>\n>USER joe\n<+OK\n>PASS ***\n<-ERR [AUTH] no\n"
                                 ">APOP ***\n<+OK in\n>LIST\n<+OK 1\n>RETR 1\n<+OK\n>***\n<+OK\n"
                                 ">QUIT\n<+OK bye\n*closed\n");
    *session = '\0';
    assert_non_null(strstr(trace.data, "*connected to 127.0.0.1:"));
    assert_int_equal(strstr(trace.data, "*TLSv1.3 with TLS_") != NULL, f->tls);
    free(trace.data);
}

static void level_2_tells_every_line(void **state)
{
    text trace = traced(*state, 2);
    assert_non_null(strstr(trace.data, ">LIST\n<+OK 1\n|1 5\n"));
    assert_non_null(strstr(trace.data, "#body\r\n\n"));
    assert_null(strstr(trace.data, "hunter2"));
    free(trace.data);
}

static void errors_never_hold_the_password(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'PASS hunter2'; expect-eof", NULL);
    f->options.timeout_ms = 50;
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_ARGUMENT, pop3_client_pass(c, "hunter2\r\nQUIT"));
    assert_null(strstr(pop3_client_error(c)->message, "hunter2"));
    assert_status(POP3_ERR_TIMEOUT, pop3_client_pass(c, "hunter2"));
    assert_error(c, POP3_ERR_TIMEOUT, "PASS: ");
    assert_null(strstr(pop3_client_error(c)->message, "hunter2"));
}

static void a_secret_that_the_server_repeats_shows_in_no_error_and_no_trace(void **state)
{
    needs_tls();
    fixture *f = *state;
    text trace = {0};
    f->options.engine.trace = write_trace;
    f->options.engine.trace_ctx = &trace;
    f->options.engine.trace_level = 2;
    play(f,
         "line '+OK <1.2@host>'; expect 'PASS hunter2'; line '-ERR [x hunter2] PASS hunter2'"
         "; expect 'PASS password'; line '-ERR invalid password'"
         "; expect 'APOP joe 7baec5b6f3751ddbdde94d910ab16dad'"
         "; line '-ERR joe 7baec5b6f3751ddbdde94d910ab16dad is wrong'"
         "; expect 'PASS hunter2'; line 'PASS hunter2'; expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_REFUSED, pop3_client_pass(c, "hunter2"));
    assert_error(c, POP3_ERR_REFUSED, "[x ");
    assert_null(strstr(pop3_client_error(c)->message, "hunter2"));
    assert_string_equal(pop3_client_error(c)->server_text, "***");
    assert_status(POP3_ERR_REFUSED, pop3_client_pass(c, "password"));
    assert_string_equal(pop3_client_error(c)->server_text, "invalid password");
    assert_status(POP3_ERR_REFUSED, pop3_client_apop(c, "joe", "hunter2"));
    assert_string_equal(pop3_client_error(c)->server_text, "joe ***");
    assert_status(POP3_ERR_PROTOCOL, pop3_client_pass(c, "hunter2"));
    assert_null(strstr(pop3_client_error(c)->message, "hunter2"));
    assert_non_null(strstr(trace.data, "<-ERR [x ***\n"));
    assert_non_null(strstr(trace.data, "<-ERR joe ***\n"));
    assert_null(strstr(trace.data, "hunter2"));
    assert_null(strstr(trace.data, "7baec5"));
    free(trace.data);
    f->options.engine.trace_ctx = NULL;
}

int main(void)
{
    const struct CMUnitTest both[] = {
        cmocka_unit_test(level_0_tells_nothing),
        cmocka_unit_test(level_1_tells_commands_and_replies_without_secrets),
        cmocka_unit_test(level_2_tells_every_line),
        cmocka_unit_test(errors_never_hold_the_password),
        cmocka_unit_test(a_secret_that_the_server_repeats_shows_in_no_error_and_no_trace),
    };
    return run_suite("trace", NULL, 0, both, sizeof both / sizeof *both);
}
