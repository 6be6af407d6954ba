/* The engine's session: greeting, states, refusals, QUIT, failures at each state, what a caller may
 * ask and what it learns. */
#include "engine_script.h"

static pop3_status submit(script *s, pop3_command_kind kind, uint32_t number, const char *text)
{
    pop3_command c = command_of(kind, number, text);
    return pop3_engine_submit(s->engine, &c);
}

static void assert_span_is(pop3_str s, const char *text)
{
    assert_int_equal(s.len, strlen(text));
    assert_memory_equal(s.data, text, s.len);
}

static void a_whole_session_from_greeting_to_quit(void **state)
{
    (void)state;
    script *s = script_begin(NULL);
    assert_int_equal(pop3_engine_state(s->engine), POP3_STATE_GREETING);
    assert_true(pop3_engine_wants_input(s->engine));
    says(s, "+OK ready <1.2@host>\r\n");
    sees(s, "greeting ok {ready <1.2@host>}");
    assert_int_equal(pop3_engine_state(s->engine), POP3_STATE_AUTHORIZATION);
    assert_false(pop3_engine_wants_input(s->engine));
    asks_text(s, POP3_CMD_USER, "mrose");
    sends(s, "USER mrose\r\n");
    assert_true(pop3_engine_wants_input(s->engine));
    says(s, "+OK\r\n");
    sees(s, "USER ok {}");
    asks_text(s, POP3_CMD_PASS, "secret");
    sends(s, "PASS secret\r\n");
    assert_int_equal(pop3_engine_state(s->engine), POP3_STATE_AUTHORIZATION);
    says(s, "+OK maildrop has 2 messages\r\n");
    sees(s, "PASS ok {maildrop has 2 messages}");
    assert_int_equal(pop3_engine_state(s->engine), POP3_STATE_TRANSACTION);
    asks(s, POP3_CMD_STAT);
    sends(s, "STAT\r\n");
    says(s, "+OK 2 320\r\n");
    sees(s, "STAT ok {2 320} 2 320");
    asks_number(s, POP3_CMD_RETR, 1);
    sends(s, "RETR 1\r\n");
    says(s, "+OK 120 octets\r\nHi\r\n..\r\n.\r\n");
    sees(s, "RETR 1 reply {120 octets}\nRETR 1 body {Hi\r\n.\r\n}\nRETR 1 ok");
    asks(s, POP3_CMD_QUIT);
    sends(s, "QUIT\r\n");
    says(s, "+OK bye\r\n");
    sees(s, "QUIT ok {bye}");
    assert_int_equal(pop3_engine_state(s->engine), POP3_STATE_UPDATE);
    assert_false(pop3_engine_wants_input(s->engine));
    assert_int_equal(pop3_engine_error(s->engine, NULL), POP3_OK);
    script_end(s);
}

static void commands_that_were_answered_are_counted_and_not_those_that_were_lost(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, "PIPELINING\r\n");
    uint64_t before = pop3_engine_answered(s->engine);
    asks(s, POP3_CMD_NOOP);
    asks_number(s, POP3_CMD_DELE, 1);
    asks_number(s, POP3_CMD_DELE, 2);
    sends(s, "NOOP\r\nDELE 1\r\nDELE 2\r\n");
    says(s, "+OK\r\n-ERR no\r\n");
    sees(s, "NOOP ok {}\nDELE 1 refused {no}");
    fails(s, POP3_ERR_CLOSED);
    sees(s, "DELE 2 closed");
    assert_int_equal(pop3_engine_answered(s->engine) - before, 2);
    script_end(s);
}

static void the_greeting_and_its_timestamp_are_kept(void **state)
{
    (void)state;
    script *s = script_begin(NULL);
    assert_int_equal(pop3_engine_greeting(s->engine).len, 0);
    assert_int_equal(pop3_engine_timestamp(s->engine).len, 0);
    says(s, "+OK server <1896.697170952@dbc.mtview.ca.us>\r\n");
    sees(s, "greeting ok {server <1896.697170952@dbc.mtview.ca.us>}");
    assert_span_is(pop3_engine_greeting(s->engine), "+OK server <1896.697170952@dbc.mtview.ca.us>");
    assert_span_is(pop3_engine_timestamp(s->engine), "<1896.697170952@dbc.mtview.ca.us>");
    script_end(s);
}

static void nothing_is_sent_before_the_greeting(void **state)
{
    (void)state;
    script *s = script_begin(NULL);
    asks_text(s, POP3_CMD_USER, "a");
    sends(s, "");
    says(s, "+OK");
    sends(s, "");
    says(s, "\r\n");
    sees(s, "greeting ok {}");
    sends(s, "USER a\r\n");
    says(s, "+OK\r\n");
    sees(s, "USER ok {}");
    script_end(s);
}

static void a_refused_login_leaves_the_session_where_it_was(void **state)
{
    (void)state;
    script *s = script_begin(NULL);
    says(s, "+OK\r\n");
    sees(s, "greeting ok {}");
    asks_text(s, POP3_CMD_PASS, "wrong");
    sends(s, "PASS wrong\r\n");
    says(s, "-ERR [AUTH] invalid login\r\n");
    sees(s, "PASS refused [AUTH] {invalid login}");
    assert_int_equal(pop3_engine_state(s->engine), POP3_STATE_AUTHORIZATION);
    assert_int_equal(pop3_engine_error(s->engine, NULL), POP3_OK);
    asks_text(s, POP3_CMD_APOP, "mrose 0123");
    sends(s, "APOP mrose 0123\r\n");
    says(s, "+OK\r\n");
    sees(s, "APOP ok {}");
    assert_int_equal(pop3_engine_state(s->engine), POP3_STATE_TRANSACTION);
    script_end(s);
}

static void each_way_to_log_in_leads_to_the_transaction_state(void **state)
{
    (void)state;
    static const pop3_command_kind ways[] = {POP3_CMD_PASS, POP3_CMD_APOP, POP3_CMD_RPOP,
                                             POP3_CMD_AUTH};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        script *s = script_begin(NULL);
        says(s, "+OK\r\n");
        asks_text(s, ways[i], "X");
        size_t len;
        pop3_engine_output(s->engine, &len);
        pop3_engine_sent(s->engine, len);
        if (ways[i] == POP3_CMD_AUTH) { /* the client must have said something */
            says(s, "+OK\r\n");
            sees(s, "greeting ok {}\nAUTH challenge {}");
            assert_int_equal(pop3_engine_state(s->engine), POP3_STATE_AUTHORIZATION);
            assert_int_equal(pop3_engine_respond(s->engine, (pop3_str){"eA==", 4}), POP3_OK);
        }
        says(s, "+OK\r\n");
        assert_int_equal(pop3_engine_state(s->engine), POP3_STATE_TRANSACTION);
        script_free(s);
    }
}

static void quit_ends_the_session_even_when_refused(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, NULL);
    asks(s, POP3_CMD_QUIT);
    sends(s, "QUIT\r\n");
    says(s, "-ERR some deleted messages not removed\r\n");
    sees(s, "QUIT refused {some deleted messages not removed}");
    assert_int_equal(pop3_engine_state(s->engine), POP3_STATE_UPDATE);
    script_end(s);
}

static void nothing_may_be_asked_after_quit(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, NULL);
    asks(s, POP3_CMD_QUIT);
    assert_int_equal(submit(s, POP3_CMD_NOOP, 0, NULL), POP3_ERR_STATE);
    assert_int_equal(submit(s, POP3_CMD_QUIT, 0, NULL), POP3_ERR_STATE);
    sends(s, "QUIT\r\n");
    says(s, "+OK\r\n");
    sees(s, "QUIT ok {}");
    assert_int_equal(submit(s, POP3_CMD_NOOP, 0, NULL), POP3_ERR_STATE);
    script_end(s);
}

static void what_comes_after_quit_is_not_heeded(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, NULL);
    asks(s, POP3_CMD_QUIT);
    sends(s, "QUIT\r\n");
    says(s, "+OK bye\r\n-ERR really\r\n");
    sees(s, "QUIT ok {bye}");
    says(s, "more\r\n");
    fails(s, POP3_ERR_CLOSED);
    assert_int_equal(pop3_engine_state(s->engine), POP3_STATE_UPDATE);
    assert_int_equal(pop3_engine_error(s->engine, NULL), POP3_OK);
    script_end(s);
}

static void deletions_are_counted_since_login_or_rset(void **state)
{
    (void)state;
    pop3_engine_options o = with_pipelining(POP3_PIPELINING_ON);
    script *s = script_logged_in(&o, NULL);
    for (uint32_t i = 1; i <= 4; i++)
        asks_number(s, POP3_CMD_DELE, i);
    sends(s, "DELE 1\r\nDELE 2\r\nDELE 3\r\nDELE 4\r\n");
    assert_int_equal(pop3_engine_deletions(s->engine), 0);
    says(s, "+OK\r\n-ERR no such message\r\n+OK\r\n");
    sees(s, "DELE 1 ok {}\nDELE 2 refused {no such message}\nDELE 3 ok {}");
    assert_int_equal(pop3_engine_deletions(s->engine), 2);
    asks(s, POP3_CMD_RSET);
    sends(s, "RSET\r\n");
    says(s, "+OK\r\n-ERR no\r\n");
    sees(s, "DELE 4 ok {}\nRSET refused {no}");
    assert_int_equal(pop3_engine_deletions(s->engine), 3);
    asks(s, POP3_CMD_RSET);
    sends(s, "RSET\r\n");
    says(s, "+OK\r\n");
    sees(s, "RSET ok {}");
    assert_int_equal(pop3_engine_deletions(s->engine), 0);
    script_end(s);
}

static void a_tag_comes_back_with_every_event_of_its_command(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, NULL);
    int mine;
    pop3_command c = command_of(POP3_CMD_RETR, 1, NULL);
    c.tag = &mine;
    assert_int_equal(pop3_engine_submit(s->engine, &c), POP3_OK);
    sends(s, "RETR 1\r\n");
    static const char data[] = "+OK\r\nHi\r\n.\r\n";
    assert_int_equal(pop3_engine_feed(s->engine, data, sizeof data - 1), POP3_OK);
    pop3_event ev;
    int events = 0;
    while (pop3_engine_next(s->engine, &ev)) {
        assert_ptr_equal(ev.tag, &mine);
        events++;
    }
    assert_int_equal(events, 3);
    script_end(s);
}

static void the_current_command_is_the_one_that_ends_next(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, NULL);
    pop3_command_kind kind;
    uint32_t number;
    assert_false(pop3_engine_current(s->engine, &kind, &number));
    asks_number(s, POP3_CMD_RETR, 7);
    asks_number(s, POP3_CMD_DELE, 8);
    assert_true(pop3_engine_current(s->engine, &kind, &number));
    assert_int_equal(kind, POP3_CMD_RETR);
    assert_int_equal(number, 7);
    assert_true(pop3_engine_current(s->engine, NULL, NULL));
    script_free(s);
}

static void commands_that_cannot_be_used_change_nothing(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, NULL);
    assert_int_equal(submit(s, POP3_CMD_RETR, 0, NULL), POP3_ERR_ARGUMENT);
    assert_int_equal(submit(s, POP3_CMD_USER, 0, "a\r\nDELE 1"), POP3_ERR_ARGUMENT);
    pop3_command c = command_of(POP3_CMD_NOOP, 0, NULL);
    c.size = sizeof c.size; /* no kind */
    assert_int_equal(pop3_engine_submit(s->engine, &c), POP3_ERR_ARGUMENT);
    assert_int_equal(pop3_engine_submit(s->engine, NULL), POP3_ERR_ARGUMENT);
    assert_int_equal(pop3_engine_submit(NULL, &c), POP3_ERR_ARGUMENT);
    assert_int_equal(pop3_engine_pending(s->engine), 0);
    script_end(s);
}

static void options_that_cannot_be_used_make_no_engine(void **state)
{
    (void)state;
    pop3_engine *e = (pop3_engine *)&state;
    pop3_engine_options o = POP3_ENGINE_OPTIONS_INIT;
    o.size = sizeof o.size / 2;
    assert_int_equal(pop3_engine_new(&e, &o), POP3_ERR_ARGUMENT);
    assert_null(e);
    o.size = sizeof o - 1;
    assert_int_equal(pop3_engine_new(&e, &o), POP3_ERR_ARGUMENT);
    o = with_pipelining((pop3_pipelining)3);
    assert_int_equal(pop3_engine_new(&e, &o), POP3_ERR_ARGUMENT);
    o = with_pipelining(POP3_PIPELINING_OFF);
    o.limits.reply_line = 511;
    assert_int_equal(pop3_engine_new(&e, &o), POP3_ERR_ARGUMENT);
    assert_int_equal(pop3_engine_new(NULL, NULL), POP3_ERR_ARGUMENT);
    assert_int_equal(pop3_engine_new(&e, NULL), POP3_OK);
    pop3_engine_free(e);
    pop3_engine_free(NULL);
}

static void octets_are_taken_one_feed_at_a_time(void **state)
{
    (void)state;
    script *s = script_begin(NULL);
    assert_int_equal(pop3_engine_feed(s->engine, NULL, 1), POP3_ERR_ARGUMENT);
    assert_int_equal(pop3_engine_feed(NULL, "x", 1), POP3_ERR_ARGUMENT);
    assert_int_equal(pop3_engine_feed(s->engine, NULL, 0), POP3_OK);
    assert_int_equal(pop3_engine_feed(s->engine, "+OK\r\n", 5), POP3_OK);
    assert_int_equal(pop3_engine_feed(s->engine, "x", 1), POP3_ERR_STATE);
    script_drain(s);
    sees(s, "greeting ok {}");
    assert_int_equal(pop3_engine_feed(s->engine, "", 0), POP3_OK);
    script_end(s);
}

static void output_that_was_sent_in_pieces_is_not_sent_twice(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, NULL);
    asks(s, POP3_CMD_NOOP);
    size_t len;
    assert_memory_equal(pop3_engine_output(s->engine, &len), "NOOP\r\n", 6);
    assert_int_equal(len, 6);
    pop3_engine_sent(s->engine, 4);
    assert_memory_equal(pop3_engine_output(s->engine, &len), "\r\n", 2);
    assert_int_equal(len, 2);
    pop3_engine_sent(s->engine, 100); /* more than there is counts as all */
    sends(s, "");
    says(s, "+OK\r\n");
    sees(s, "NOOP ok {}");
    script_end(s);
}

static void raw_commands_are_answered_by_one_line_or_many(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, NULL);
    asks_text(s, POP3_CMD_RAW, "XTND XMIT");
    sends(s, "XTND XMIT\r\n");
    says(s, "+OK go\r\n");
    sees(s, "command ok {go}");
    asks_text(s, POP3_CMD_RAW_LIST, "XLST From");
    sends(s, "XLST From\r\n");
    says(s, "+OK\r\n1 a\r\n..b\r\n\r\n.\r\n");
    sees(s, "command reply {}\ncommand entry {1 a}\ncommand entry {.b}\ncommand entry {}\n"
            "command ok");
    script_end(s);
}

static void a_server_that_ends_lines_with_lf_cr_is_understood(void **state)
{
    (void)state;
    script *s = script_begin(NULL);
    says(s, "+OK ready\n\r");
    sees(s, "greeting ok {ready}");
    asks_text(s, POP3_CMD_PASS, "x");
    sends(s, "PASS x\r\n");
    says(s, "+OK\n");
    says(s, "\r");
    sees(s, "PASS ok {}");
    asks(s, POP3_CMD_LIST);
    sends(s, "LIST\r\n");
    says(s, "+OK\n\r1 12\n\r.\n\r");
    sees(s, "LIST reply {}\nLIST entry 1 12\nLIST ok");
    asks_number(s, POP3_CMD_RETR, 1);
    sends(s, "RETR 1\r\n");
    says(s, "+OK\n\rHi\n\r\n\r..\n\r.\n\r");
    sees(s, "RETR 1 reply {}\nRETR 1 body {Hi\n\r\n\r.\n\r}\nRETR 1 ok");
    says(s, "-ERR bye\n\r");
    died(s, POP3_ERR_CLOSED, "the server ended the session: \"-ERR bye\"");
    script_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_session_from_greeting_to_quit),
        cmocka_unit_test(commands_that_were_answered_are_counted_and_not_those_that_were_lost),
        cmocka_unit_test(the_greeting_and_its_timestamp_are_kept),
        cmocka_unit_test(nothing_is_sent_before_the_greeting),
        cmocka_unit_test(a_refused_login_leaves_the_session_where_it_was),
        cmocka_unit_test(each_way_to_log_in_leads_to_the_transaction_state),
        cmocka_unit_test(quit_ends_the_session_even_when_refused),
        cmocka_unit_test(nothing_may_be_asked_after_quit),
        cmocka_unit_test(what_comes_after_quit_is_not_heeded),
        cmocka_unit_test(deletions_are_counted_since_login_or_rset),
        cmocka_unit_test(a_tag_comes_back_with_every_event_of_its_command),
        cmocka_unit_test(the_current_command_is_the_one_that_ends_next),
        cmocka_unit_test(commands_that_cannot_be_used_change_nothing),
        cmocka_unit_test(options_that_cannot_be_used_make_no_engine),
        cmocka_unit_test(octets_are_taken_one_feed_at_a_time),
        cmocka_unit_test(output_that_was_sent_in_pieces_is_not_sent_twice),
        cmocka_unit_test(a_server_that_ends_lines_with_lf_cr_is_understood),
        cmocka_unit_test(raw_commands_are_answered_by_one_line_or_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
