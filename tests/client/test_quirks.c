/* How servers and networks really behave: one test for each thing that has broken clients in the
 * field, as far as it concerns the library. */
#define _POSIX_C_SOURCE 200809L
#include "support/suite.h"

#include <stdlib.h>
#include <string.h>

static void body_lines_far_over_2048_octets_are_taken(void **state)
{
    fixture *f = *state;
    char *data;
    size_t len;
    play(f,
         "line '+OK'; expect 'RETR 1'; line '+OK'; fill 100000 'x'; send '\\r\\n.\\r\\n'; "
         "expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_retr_memory(c, 1, 0, &data, &len));
    assert_int_equal(len, 100002);
    free(data);
}

/* What happened to a message, told when its command ended. */
static void note_status(void *ctx, pop3_client *c, const pop3_result *result)
{
    pop3_status *status = ctx;
    (void)c;
    *status = result->status;
}

static void a_lone_dot_after_a_bare_lf_that_does_not_end_the_message_is_no_end(void **state)
{
    fixture *f = *state;
    play(f,
         "line '+OK'; expect 'RETR 1'\n"
         "send '+OK\\r\\nSubject: x\\r\\n\\r\\nbefore\\n.\\nafter\\r\\n.\\r\\n'; expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_PROTOCOL, pop3_client_retr(c, 1, NULL, NULL));
    assert_error(c, POP3_ERR_PROTOCOL, "RETR 1: ");
    assert_error(c, POP3_ERR_PROTOCOL, "after");
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
}

static void a_lone_dot_after_a_bare_lf_that_ends_the_message_is_one(void **state)
{
    fixture *f = *state;
    text got = {0};
    play(f,
         "line '+OK'; expect 'RETR 1'; send '+OK\\r\\nSubject: x\\n\\nbody\\n.\\r\\n'\n"
         "expect 'NOOP'; line '+OK'; expect 'DELE 1'; line '+OK'; expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_retr(c, 1, into_text, &got));
    assert_string_equal(got.data, "Subject: x\n\nbody\n");
    assert_ok(c, pop3_client_dele(c, 1));
    free(got.data);
}

static void what_follows_a_message_out_of_turn_ends_the_connection(void **state)
{
    fixture *f = *state;
    pop3_status first = POP3_PENDING;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    handlers.done = note_status;
    handlers.ctx = &first;
    play(f,
         "line '+OK'; expect 'RETR 1'\n"
         "send '+OK\\r\\nx\\n.\\r\\nthe rest of the body\\r\\n+OK\\r\\n.\\r\\n'; expect-eof",
         NULL);
    f->options.engine.pipelining = POP3_PIPELINING_OFF;
    pop3_client *c = client_connected(f);
    const uint32_t numbers[] = {1, 2};
    assert_status(POP3_ERR_PROTOCOL, pop3_client_retr_many(c, numbers, 2, &handlers));
    assert_status(POP3_ERR_PROTOCOL, first); /* and so it must not be deleted */
    assert_error(c, POP3_ERR_PROTOCOL, "RETR 1: ");
}

static void capabilities_differ_before_and_after_login(void **state)
{
    fixture *f = *state;
    play(f,
         "line '+OK'; expect 'CAPA'; capa USER; expect 'PASS x'; line '+OK'\n"
         "expect 'CAPA'; capa UIDL PIPELINING; expect 'RETR 1'; expect 'RETR 2'\n"
         "line '-ERR'; line '-ERR'; expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_capa(c, NULL));
    assert_ok(c, pop3_client_pass(c, "x"));
    const uint32_t numbers[] = {1, 2}; /* asks again by itself, as it matters now */
    assert_ok(c, pop3_client_retr_many(c, numbers, 2, NULL));
    assert_true(pop3_capabilities_have(pop3_client_capabilities(c), "UIDL"));
}

static void uidl_works_without_being_announced(void **state)
{
    fixture *f = *state;
    pop3_listing *listing;
    play(f,
         "line '+OK'; expect 'CAPA'; capa TOP; expect 'UIDL'; send '+OK\\r\\n1 a\\r\\n.\\r\\n'; "
         "expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_capa(c, NULL));
    assert_ok(c, pop3_client_uidl_all(c, &listing));
    assert_str(listing->entries[0].uid, "a");
    pop3_listing_free(listing);
}

static void a_quota_on_retrieval_refuses_a_message_and_the_session_ends_well(void **state)
{
    fixture *f = *state;
    play(f,
         "line '+OK'; expect 'RETR 1'; line '-ERR Download exceed'; expect 'QUIT'; line '+OK'\n"
         "expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_REFUSED, pop3_client_retr(c, 1, NULL, NULL));
    assert_string_equal(pop3_client_error(c)->server_text, "Download exceed");
    assert_ok(c, pop3_client_quit(c));
}

static void equal_unique_ids_in_one_listing_are_two_entries(void **state)
{
    fixture *f = *state;
    pop3_listing *listing;
    play(f,
         "line '+OK'; expect 'UIDL'; send '+OK\\r\\n1 same\\r\\n2 same\\r\\n.\\r\\n'; expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_uidl_all(c, &listing));
    assert_int_equal(listing->count, 2);
    assert_int_equal(listing->entries[1].number, 2);
    assert_str(listing->entries[1].uid, "same");
    pop3_listing_free(listing);
}

static void quit_without_a_reply_is_harmless_without_deletions(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'QUIT'; close", NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_quit(c));
}

static void quit_without_a_reply_is_an_error_with_deletions(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'DELE 1'; line '+OK'; expect 'QUIT'; close", NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_dele(c, 1));
    assert_status(POP3_ERR_CLOSED, pop3_client_quit(c));
}

static void sizes_in_list_never_decide_where_a_message_ends(void **state)
{
    fixture *f = *state;
    pop3_entry entry;
    text got = {0};
    play(f,
         "line '+OK'; expect 'LIST 1'; line '+OK 1 0'\n"
         "expect 'RETR 1'; send '+OK 3 octets\\r\\nlonger than that\\r\\n.\\r\\n'\n"
         "expect 'RETR 2'; send '+OK 5000000 octets\\r\\nshort\\r\\n.\\r\\n'; expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_list_one(c, 1, &entry));
    assert_int_equal(entry.octets, 0);
    assert_ok(c, pop3_client_retr(c, 1, into_text, &got));
    assert_ok(c, pop3_client_retr(c, 2, into_text, &got));
    assert_string_equal(got.data, "longer than that\r\nshort\r\n");
    free(got.data);
}

static void a_server_that_hangs_up_after_refusals_is_told_as_closed(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'PASS a'; line '-ERR'; expect 'PASS b'; line '-ERR too many'",
         NULL);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_REFUSED, pop3_client_pass(c, "a"));
    assert_status(POP3_ERR_REFUSED, pop3_client_pass(c, "b"));
    assert_error(c, POP3_ERR_REFUSED, "too many"); /* though the end may have come with it */
    assert_status(POP3_ERR_CLOSED, pop3_client_pass(c, "c"));
    assert_error(c, POP3_ERR_CLOSED, "closed the connection");
    assert_status(POP3_ERR_STATE, pop3_client_pass(c, "d"));
}

static void a_refusal_with_the_end_in_its_wake_is_told_first(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'STAT'; send '-ERR first\\r\\n-ERR and good-bye\\r\\n'; expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_REFUSED, pop3_client_stat(c, NULL));
    assert_string_equal(pop3_client_error(c)->server_text, "first");
    assert_status(POP3_ERR_CLOSED, pop3_client_stat(c, NULL));
    assert_error(c, POP3_ERR_CLOSED, "and good-bye");
}

static void a_login_too_soon_is_told_with_its_code(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'PASS a'; line '-ERR [LOGIN-DELAY] wait 5 minutes'; expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_REFUSED, pop3_client_pass(c, "a"));
    assert_int_equal(pop3_client_error(c)->code, POP3_CODE_LOGIN_DELAY);
}

static void credentials_with_line_ends_smuggle_nothing(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK <1@host>'; expect 'NOOP'; line '+OK'; expect-eof", NULL);
    pop3_client *c = client_connected(f);
    pop3_command pass = POP3_COMMAND_INIT;
    pass.kind = POP3_CMD_PASS;
    pass.text = (pop3_str){"a\0b", 3};
    assert_status(POP3_ERR_ARGUMENT, pop3_client_user(c, "joe\r\nDELE 1"));
    assert_status(POP3_ERR_ARGUMENT, pop3_client_pass(c, "x\nQUIT"));
    assert_status(tls_is_there() ? POP3_ERR_ARGUMENT : POP3_ERR_NOT_OFFERED,
                  pop3_client_apop(c, "joe\rRSET", "secret"));
    assert_status(POP3_ERR_ARGUMENT, pop3_client_submit(c, &pass, NULL));
    assert_ok(c, pop3_client_noop(c));
}

static void replies_injected_before_tls_begins_are_an_error(void **state)
{
    fixture *f = *state;
    f->may_complain = true; /* its handshake fails */
    play(f,
         "line '+OK'; expect 'CAPA'; capa STLS; expect 'STLS'\n"
         "send '+OK\\r\\n' '+OK you are logged in\\r\\n'; tls",
         "--cert", certificate("good.pem"), "--key", certificate("good.key"), NULL);
    f->options.tls = trusting(f);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_PROTOCOL, pop3_client_stls(c));
    assert_status(POP3_ERR_STATE, pop3_client_noop(c));
}

static void
a_server_that_announces_pipelining_and_drops_the_rest_is_silent_and_then_given_up(void **state)
{
    fixture *f = *state;
    serve(f,
          "line '+OK'; expect 'CAPA'; capa PIPELINING; expect 'PASS x'; line '+OK'\n"
          "expect 'CAPA'; capa PIPELINING; expect 'RETR 1'; expect 'RETR 2'\n"
          "send '+OK\\r\\none\\r\\n.\\r\\n'; expect-eof",
          NULL);
    f->options.timeout_ms = 50;
    const uint32_t numbers[] = {1, 2};
    pop3_status status;
    do {
        pop3_client *c = client_connected(f);
        status = pop3_client_capa(c, NULL);
        if (status == POP3_OK)
            status = pop3_client_pass(c, "x");
        if (status == POP3_OK)
            status = pop3_client_retr_many(c, numbers, 2, NULL);
    } while (needs_more_time(f, status, "RETR 2: "));
    assert_error(f->client, POP3_ERR_TIMEOUT, "RETR 2: ");
}

static void replies_in_any_case_and_capabilities_with_odd_blanks_are_taken(void **state)
{
    fixture *f = *state;
    play(f,
         "line '+ok Ready'; expect 'NOOP'; line '-err no'; expect 'NOOP'; line '+OK'\n"
         "expect 'NOOP'; line '+Ok\\tdone  '; expect 'CAPA'\n"
         "send '+OK\\r\\nTOP  \\r\\nuidl\\t\\r\\nSASL\\tPLAIN \\r\\n.\\r\\n'; expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_REFUSED, pop3_client_noop(c));
    assert_ok(c, pop3_client_noop(c));
    assert_ok(c, pop3_client_noop(c));
    assert_ok(c, pop3_client_capa(c, NULL));
    const pop3_capabilities *caps = pop3_client_capabilities(c);
    assert_int_equal(caps->flags, POP3_CAP_TOP | POP3_CAP_UIDL | POP3_CAP_SASL);
    assert_true(pop3_capabilities_have_sasl(caps, "PLAIN"));
}

static void bare_line_feeds_throughout_are_understood(void **state)
{
    fixture *f = *state;
    text got = {0};
    play(f,
         "send '+OK\\n'; expect 'STAT'; send '+OK 1 5\\n'; expect 'RETR 1'\n"
         "send '+OK\\nbody\\n..\\n.\\n'; expect 'NOOP'; send '+OK\\n'; expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_stat(c, NULL));
    assert_ok(c, pop3_client_retr(c, 1, into_text, &got));
    assert_string_equal(got.data, "body\n.\n");
    assert_ok(c, pop3_client_noop(c));
    free(got.data);
}

int main(void)
{
    const struct CMUnitTest once[] = {
        cmocka_unit_test(replies_injected_before_tls_begins_are_an_error),
    };
    const struct CMUnitTest both[] = {
        cmocka_unit_test(body_lines_far_over_2048_octets_are_taken),
        cmocka_unit_test(a_lone_dot_after_a_bare_lf_that_does_not_end_the_message_is_no_end),
        cmocka_unit_test(a_lone_dot_after_a_bare_lf_that_ends_the_message_is_one),
        cmocka_unit_test(what_follows_a_message_out_of_turn_ends_the_connection),
        cmocka_unit_test(capabilities_differ_before_and_after_login),
        cmocka_unit_test(uidl_works_without_being_announced),
        cmocka_unit_test(a_quota_on_retrieval_refuses_a_message_and_the_session_ends_well),
        cmocka_unit_test(equal_unique_ids_in_one_listing_are_two_entries),
        cmocka_unit_test(quit_without_a_reply_is_harmless_without_deletions),
        cmocka_unit_test(quit_without_a_reply_is_an_error_with_deletions),
        cmocka_unit_test(sizes_in_list_never_decide_where_a_message_ends),
        cmocka_unit_test(a_server_that_hangs_up_after_refusals_is_told_as_closed),
        cmocka_unit_test(a_refusal_with_the_end_in_its_wake_is_told_first),
        cmocka_unit_test(a_login_too_soon_is_told_with_its_code),
        cmocka_unit_test(credentials_with_line_ends_smuggle_nothing),
        cmocka_unit_test(
            a_server_that_announces_pipelining_and_drops_the_rest_is_silent_and_then_given_up),
        cmocka_unit_test(replies_in_any_case_and_capabilities_with_odd_blanks_are_taken),
        cmocka_unit_test(bare_line_feeds_throughout_are_understood),
    };
    return run_suite("quirks", once, sizeof once / sizeof *once, both, sizeof both / sizeof *both);
}
