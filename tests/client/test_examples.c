/* The example programs, run as a reader would run them: password on standard input, exit status,
 * what they print. */
#define _POSIX_C_SOURCE 200809L
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A finished run of a program. */
typedef struct run {
    int status;
    char *output;
    char *errors;
} run;

static void forget(run *r)
{
    free(r->output);
    free(r->errors);
}

/* Runs an example against the fixture's server, with options before host, port and user. */
__attribute__((sentinel)) static run run_example(const fixture *f, const char *name,
                                                 const char *password, ...)
{
    const char *argv[20];
    char program[500];
    char port[10];
    size_t n = 0;
    snprintf(program, sizeof program, "%s/%s", getenv("POP3_EXAMPLES"), name);
    snprintf(port, sizeof port, "%u", (unsigned)f->options.port);
    argv[n++] = program;
    va_list options;
    va_start(options, password);
    for (const char *option; (option = va_arg(options, const char *)) != NULL;)
        argv[n++] = option;
    va_end(options);
    argv[n++] = "localhost";
    argv[n++] = port;
    argv[n++] = "joe";
    argv[n] = NULL;
    process p;
    run r = {.status = -1};
    if (!process_start(&p, argv, password) || !process_wait(&p, &r.output))
        fail_msg("%s did not run", program);
    r.status = p.status;
    r.errors = process_errors(&p);
    process_forget(&p);
    return r;
}

/* Checks that a run went well; says what it complained of when it did not. */
static void assert_ran(const run *r)
{
    if (r->status != 0)
        fail_msg("exit status %d: %s", r->status, r->errors);
}

static const char *folder_of_two(void)
{
    mkdir(scratch_file("two"), 0700);
    assert_true(text_to_file(scratch_file("two/1"), "Subject: 1\r\n\r\none\r\n", 19));
    assert_true(text_to_file(scratch_file("two/2"), "Subject: 2\r\n\r\n.\r\ntwo\r\n", 22));
    return scratch_file("two");
}

/* Serves two messages to joe, whose password is "secret". */
static void serve_two(fixture *f)
{
    if (f->tls)
        serve(f, NULL, "--mail", folder_of_two(), "--user", "joe", "--password", "secret",
              "--greeting", "POP3 here", NULL);
    else
        serve(f, NULL, "--mail", folder_of_two(), "--user", "joe", "--password", "secret", "--cert",
              certificate("good.pem"), "--key", certificate("good.key"), "--apop", NULL);
}

static void print_mailbox_prints_every_message(void **state)
{
    fixture *f = *state;
    serve_two(f);
    run r = f->tls ? run_example(f, "print_mailbox", "secret\n", "--tls", "--ca-file",
                                 certificate("ca.pem"), NULL)
                   : run_example(f, "print_mailbox", "secret\n", NULL);
    assert_ran(&r);
    assert_string_equal(r.output, "Subject: 1\r\n\r\none\r\nSubject: 2\r\n\r\n.\r\ntwo\r\n");
    assert_int_equal(strstr(r.errors, "others on the network can read the mail") != NULL, !f->tls);
    assert_null(strstr(r.errors, "secret"));
    forget(&r);
}

static void a_wrong_password_is_told_and_fails(void **state)
{
    fixture *f = *state;
    serve_two(f);
    run r = f->tls ? run_example(f, "print_mailbox", "wrong\n", "--tls", "--ca-file",
                                 certificate("ca.pem"), NULL)
                   : run_example(f, "print_mailbox", "wrong\n", NULL);
    assert_int_equal(r.status, 1);
    assert_string_equal(r.output, "");
    assert_non_null(strstr(r.errors, ": the server refused [AUTH] "));
    assert_null(strstr(r.errors, "wrong\n"));
    forget(&r);
}

static void session_tour_shows_greeting_sizes_and_indented_messages(void **state)
{
    fixture *f = *state;
    serve_two(f);
    run r = f->tls ? run_example(f, "session_tour", "secret\n", "--tls", "--ca-file",
                                 certificate("ca.pem"), NULL)
                   : run_example(f, "session_tour", "secret\n", "--auth", "APOP", NULL);
    assert_ran(&r);
    const char *rest = strchr(r.output, '\n');
    assert_memory_equal(r.output, "+OK ", 4);
    assert_non_null(rest);
    assert_string_equal(rest + 1, "   Message       Octets\n"
                                  "         1           19\n"
                                  "         2           22\n"
                                  "2 messages, 41 octets\n"
                                  "Message 1:\n   Subject: 1\n   \n   one\n"
                                  "-----------------------\n"
                                  "Message 2:\n   Subject: 2\n   \n   .\n   two\n"
                                  "-----------------------\n");
    forget(&r);
}

#ifdef __linux__
static void epoll_counts_over_many_connections(void **state)
{
    fixture *f = *state;
    serve_two(f);
    run r = f->tls ? run_example(f, "epoll", "secret\n", "--tls", "--ca-file",
                                 certificate("ca.pem"), NULL)
                   : run_example(f, "epoll", "secret\n", "--connections", "7", NULL);
    assert_ran(&r);
    assert_string_equal(r.output,
                        f->tls ? "50 connections, 100 messages\n" : "7 connections, 14 messages\n");
    forget(&r);
}
#endif

static void event_loop_fetches_over_50_connections(void **state)
{
    fixture *f = *state;
    serve_two(f);
    run r = f->tls ? run_example(f, "event_loop", "secret\n", "--tls", "--ca-file",
                                 certificate("ca.pem"), NULL)
                   : run_example(f, "event_loop", "secret\n", "--connections", "7", NULL);
    if (f->tls) {
        assert_ran(&r);
        assert_string_equal(r.output, "50 connections, 100 messages, 2050 octets\n");
    } else {
        assert_ran(&r);
        assert_string_equal(r.output, "7 connections, 14 messages, 287 octets\n");
    }
    forget(&r);
}

static void stls_protects_the_password(void **state)
{
    fixture *f = *state;
    serve_two(f);
    run r = run_example(f, "print_mailbox", "secret\n", "--stls", "--ca-file",
                        certificate("ca.pem"), NULL);
    assert_ran(&r);
    assert_string_equal(r.errors, "");
    forget(&r);
    char *log = server_log(&f->server);
    assert_non_null(strstr(log, "1 C: STLS\n"));
    assert_true(strstr(log, "1 tls TLSv1") < strstr(log, "1 C: AUTH PLAIN "));
    free(log);
}

static void without_its_authority_the_server_is_not_trusted(void **state)
{
    fixture *f = *state;
    serve_two(f);
    f->may_complain = true;
    run r = run_example(f, "print_mailbox", "secret\n", "--stls", NULL);
    assert_int_equal(r.status, 1);
    assert_non_null(strstr(r.errors, "the certificate for localhost is not acceptable"));
    forget(&r);
    char *log = server_log(&f->server);
    assert_null(strstr(log, "1 C: AUTH"));
    free(log);
}

static void an_authority_that_cannot_be_read_is_told(void **state)
{
    needs_tls();
    fixture *f = *state;
    f->options.port = 1;
    run r = run_example(f, "session_tour", "secret\n", "--tls", "--ca-file", "/no/such/file", NULL);
    assert_int_equal(r.status, 1);
    assert_non_null(strstr(r.errors, "/no/such/file"));
    forget(&r);
}

static void no_password_is_told(void **state)
{
    fixture *f = *state;
    serve_two(f);
    run r = run_example(f, "print_mailbox", "", "--auth", "APOP", NULL);
    assert_int_equal(r.status, 1);
    assert_non_null(strstr(r.errors, "logging in with APOP: no password or token was given"));
    forget(&r);
}

static void options_that_are_unknown_bring_the_usage(void **state)
{
    fixture *f = *state;
    static const char *const names[] = {"print_mailbox", "session_tour", "event_loop"};
    f->options.port = 1;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        run r = run_example(f, names[i], "", "--unknown", NULL);
        assert_int_equal(r.status, 1);
        assert_non_null(strstr(r.errors, "HOST PORT USER"));
        forget(&r);
    }
}

static void what_is_learned_about_a_server_is_kept_in_a_file_and_begun_with(void **state)
{
    fixture *f = *state;
    text known = {0};
    for (int again = 0; again < 2; again++) {
        play(f, "on CAPA { close }\nserve\n", "--mail", folder_of_two(), "--user", "joe",
             "--password", "secret", "--max-sessions", again ? "1" : "2", NULL);
        run r =
            run_example(f, "print_mailbox", "secret\n", "--traits", scratch_file("traits"), NULL);
        assert_ran(&r);
        forget(&r);
        script_is_met(f);
        known = text_of_file(scratch_file("traits"));
        assert_string_equal(known.data, "no-capa\n");
        free(known.data);
    }
}

int main(void)
{
    const struct CMUnitTest once[] = {
        cmocka_unit_test(stls_protects_the_password),
        cmocka_unit_test(without_its_authority_the_server_is_not_trusted),
        cmocka_unit_test(an_authority_that_cannot_be_read_is_told),
        cmocka_unit_test(no_password_is_told),
        cmocka_unit_test(what_is_learned_about_a_server_is_kept_in_a_file_and_begun_with),
        cmocka_unit_test(options_that_are_unknown_bring_the_usage),
    };
    const struct CMUnitTest both[] = {
        cmocka_unit_test(print_mailbox_prints_every_message),
        cmocka_unit_test(a_wrong_password_is_told_and_fails),
        cmocka_unit_test(session_tour_shows_greeting_sizes_and_indented_messages),
        cmocka_unit_test(event_loop_fetches_over_50_connections),
#ifdef __linux__
        cmocka_unit_test(epoll_counts_over_many_connections),
#endif
    };
    return run_suite("examples", once, sizeof once / sizeof *once, both,
                     sizeof both / sizeof *both);
}
