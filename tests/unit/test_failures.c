/* How an engine dies: refused or strange greetings, answers that make no sense, octets out of turn,
 * the connection's end at each state; and what each command and the caller learn of it. */
#include "engine_script.h"

static void a_greeting_that_refuses_ends_the_session(void **state)
{
    (void)state;
    script *s = script_begin(NULL);
    asks_text(s, POP3_CMD_USER, "a");
    says(s, "-ERR [SYS/TEMP] too many connections\r\n");
    sees(s, "greeting refused [SYS/TEMP] {too many connections}\nUSER refused unsent");
    died(s, POP3_ERR_REFUSED,
         "the server refused the connection: \"-ERR [SYS/TEMP] too many connections\"");
    script_end(s);
}

static void a_greeting_of_another_protocol_is_a_protocol_error(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *detail;
    } rows[] = {
        {"220 mail.example ESMTP\r\n",
         "the greeting is not a POP3 greeting: \"220 mail.example ESMTP\""},
        {"* OK IMAP4rev1\r\n", "the greeting is not a POP3 greeting: \"* OK IMAP4rev1\""},
        {"\x16\x03\x01\r\n", "the greeting is not a POP3 greeting: \"\\x16\\x03\\x01\""},
        {"\r\n", "the greeting is not a POP3 greeting"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        script *s = script_begin(NULL);
        says(s, rows[i].line);
        sees(s, "greeting protocol");
        died(s, POP3_ERR_PROTOCOL, rows[i].detail);
        script_end(s);
    }
}

static void values_that_make_no_sense_are_a_protocol_error(void **state)
{
    (void)state;
    static const struct {
        pop3_command_kind kind;
        uint32_t number;
        const char *reply;
    } rows[] = {
        {POP3_CMD_STAT, 0, "+OK\r\n"},
        {POP3_CMD_STAT, 0, "+OK two messages\r\n"},
        {POP3_CMD_STAT, 0, "+OK 18446744073709551616 1\r\n"},
        {POP3_CMD_LIST_ONE, 3, "+OK 4 120\r\n"}, /* the answer to another question */
        {POP3_CMD_UIDL_ONE, 3, "+OK 2 abc\r\n"},
        {POP3_CMD_NOOP, 0, "OK\r\n"},
        {POP3_CMD_NOOP, 0, "\r\n"},
        {POP3_CMD_RETR, 1, "From: a\r\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        script *s = script_logged_in(NULL, NULL);
        asks_number(s, rows[i].kind, rows[i].number);
        size_t len;
        pop3_engine_output(s->engine, &len);
        pop3_engine_sent(s->engine, len);
        says(s, rows[i].reply);
        assert_int_equal(pop3_engine_state(s->engine), POP3_STATE_DEAD);
        assert_int_equal(pop3_engine_error(s->engine, NULL), POP3_ERR_PROTOCOL);
        assert_int_equal(pop3_engine_pending(s->engine), 0);
        script_free(s);
    }
}

static void a_listing_line_that_makes_no_sense_is_a_protocol_error(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, NULL);
    asks(s, POP3_CMD_LIST);
    sends(s, "LIST\r\n");
    says(s, "+OK\r\n1 120\r\n\x1b[2J 2\r\n");
    sees(s, "LIST reply {}\nLIST entry 1 120\nLIST protocol");
    died(s, POP3_ERR_PROTOCOL, "a line of the listing is invalid: \"\\x1b[2J 2\"");
    script_end(s);
}

static void
a_remark_among_unique_ids_is_passed_over_and_a_reply_or_nothing_else_is_not(void **state)
{
    static const struct {
        const char *lines;
        const char *why; /* NULL: it is a listing */
    } rows[] = {
        {"1 a\r\nwarning: slow\r\n2 b\r\n", NULL},
        {"warning: slow\r\n1 a\r\n\t-\r\n2 b\r\n", NULL},
        {"1 a\r\n+OK 120 octets\r\n2 b\r\n",
         "a line of the listing is invalid: \"+OK 120 octets\""},
        {"0 a\r\n", "a line of the listing is invalid: \"0 a\""},
        {"warning: slow\r\nwarning: gone\r\n", "no line of the listing is valid"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        script *s = script_logged_in(NULL, NULL);
        asks(s, POP3_CMD_UIDL);
        sends(s, "UIDL\r\n");
        says(s, "+OK\r\n");
        says(s, rows[i].lines);
        says(s, ".\r\n");
        if (rows[i].why == NULL) {
            sees(s, "UIDL reply {}\nUIDL entry 1 {a}\nUIDL entry 2 {b}\nUIDL ok");
            script_end(s);
        } else {
            died(s, POP3_ERR_PROTOCOL, rows[i].why);
            script_free(s);
        }
    }
}

static void remarks_before_the_reply_to_apop_are_passed_over_and_few_are_borne(void **state)
{
    (void)state;
    for (int remarks = 1; remarks <= 4; remarks++) {
        script *s = script_begin(NULL);
        says(s, "+OK <1.2@h>\r\n");
        sees(s, "greeting ok {<1.2@h>}");
        asks_text(s, POP3_CMD_APOP, "mrose 0123");
        sends(s, "APOP mrose 0123\r\n");
        for (int i = 0; i < remarks; i++)
            says(s, "warning: slow\r\n");
        if (remarks < 4) {
            says(s, "-ERR no\r\n");
            sees(s, "APOP refused {no}");
            script_end(s);
        } else {
            sees(s, "APOP protocol");
            died(s, POP3_ERR_PROTOCOL, "the reply starts with neither + nor -: \"warning: slow\"");
            script_free(s);
        }
    }
}

static void the_end_of_input_before_quit_is_answered_is_an_error(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, NULL);
    asks(s, POP3_CMD_QUIT);
    sends(s, "QUIT\r\n");
    fails(s, POP3_ERR_CLOSED);
    sees(s, "QUIT closed");
    died(s, POP3_ERR_CLOSED, "the server closed the connection");
    script_end(s);
}

static void a_failure_before_the_greeting_ends_the_greeting_and_the_commands(void **state)
{
    (void)state;
    script *s = script_begin(NULL);
    asks_text(s, POP3_CMD_USER, "a");
    asks_text(s, POP3_CMD_PASS, "b");
    says(s, "+O");
    fails(s, POP3_ERR_TIMEOUT);
    sees(s, "greeting timeout\nUSER timeout unsent\nPASS timeout unsent");
    died(s, POP3_ERR_TIMEOUT, "the server did not answer in time");
    script_end(s);
}

static void a_failure_tells_which_commands_had_been_sent(void **state)
{
    (void)state;
    pop3_engine_options o = with_pipelining(POP3_PIPELINING_ON);
    o.max_in_flight = 2;
    script *s = script_logged_in(&o, NULL);
    asks_number(s, POP3_CMD_DELE, 1);
    asks_number(s, POP3_CMD_DELE, 2);
    asks_number(s, POP3_CMD_DELE, 3);
    sends(s, "DELE 1\r\nDELE 2\r\n");
    fails(s, POP3_ERR_IO);
    sees(s, "DELE 1 io\nDELE 2 io\nDELE 3 io unsent");
    script_end(s);
}

static void a_failure_inside_a_message_or_listing_ends_that_command(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, NULL);
    asks_number(s, POP3_CMD_RETR, 1);
    sends(s, "RETR 1\r\n");
    says(s, "+OK\r\nhalf a mess");
    fails(s, POP3_ERR_CLOSED);
    sees(s, "RETR 1 reply {}\nRETR 1 body {half a mess}\nRETR 1 closed");
    script_end(s);

    s = script_logged_in(NULL, NULL);
    asks(s, POP3_CMD_UIDL);
    sends(s, "UIDL\r\n");
    says(s, "+OK\r\n1 a\r\n2 b");
    fails(s, POP3_ERR_CANCELLED);
    sees(s, "UIDL reply {}\nUIDL entry 1 {a}\nUIDL cancelled");
    script_end(s);
}

static void the_first_failure_stays(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, NULL);
    fails(s, POP3_ERR_TIMEOUT);
    fails(s, POP3_ERR_CLOSED);
    died(s, POP3_ERR_TIMEOUT, "the server did not answer in time");
    says(s, "+OK late\r\n"); /* nobody reads a stale reply */
    pop3_command noop = command_of(POP3_CMD_NOOP, 0, NULL);
    assert_int_equal(pop3_engine_submit(s->engine, &noop), POP3_ERR_STATE);
    assert_false(pop3_engine_wants_input(s->engine));
    script_end(s);
}

static void a_failure_is_never_a_success(void **state)
{
    (void)state;
    static const pop3_status odd[] = {POP3_OK, POP3_PENDING};
    for (size_t i = 0; i < 2; i++) {
        script *s = script_logged_in(NULL, NULL);
        asks_number(s, POP3_CMD_RETR, 1);
        fails(s, odd[i]);
        sees(s, "RETR 1 closed unsent");
        died(s, POP3_ERR_CLOSED, "the server closed the connection");
        script_end(s);
    }
}

static void a_dead_engine_has_nothing_left_to_send(void **state)
{
    (void)state;
    script *s = script_begin(NULL);
    says(s, "+OK\r\n");
    sees(s, "greeting ok {}");
    asks_text(s, POP3_CMD_PASS, "secret");
    size_t len;
    assert_memory_equal(pop3_engine_output(s->engine, &len), "PASS secret\r\n", 13);
    fails(s, POP3_ERR_IO);
    sees(s, "PASS io");
    sends(s, "");
    script_end(s);
}

static void a_farewell_while_idle_is_the_end_of_the_connection(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, NULL);
    says(s, "-ERR idle for too long\r\n");
    died(s, POP3_ERR_CLOSED, "the server ended the session: \"-ERR idle for too long\"");
    script_end(s);
}

static void anything_else_while_idle_is_a_protocol_error(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, NULL);
    says(s, "+OK what you did not ask\r\nmore\r\n");
    died(s, POP3_ERR_PROTOCOL,
         "the server sent data that was not requested: \"+OK what you did not ask\"");
    script_end(s);
}

static void two_replies_to_one_command_are_a_protocol_error(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, NULL);
    asks(s, POP3_CMD_NOOP);
    sends(s, "NOOP\r\n");
    asks(s, POP3_CMD_STAT);
    says(s, "+OK\r\n+OK 1 2\r\n"); /* STAT waits for its turn: it was not sent */
    sees(s, "NOOP ok {}\nSTAT protocol unsent");
    died(s, POP3_ERR_PROTOCOL, "the server sent data that was not requested: \"+OK 1 2\"");
    script_end(s);
}

/* Only one, and only where bare LFs are the custom. */
static void a_cr_out_of_turn_is_a_protocol_error_elsewhere(void **state)
{
    (void)state;
    script *s = script_begin(NULL);
    says(s, "+OK ready\r\n\r");
    sees(s, "greeting ok {ready}");
    assert_int_equal(pop3_engine_error(s->engine, NULL), POP3_ERR_PROTOCOL);
    script_end(s);
    s = script_begin(NULL);
    says(s, "+OK ready\n\r\r");
    sees(s, "greeting ok {ready}");
    assert_int_equal(pop3_engine_error(s->engine, NULL), POP3_ERR_PROTOCOL);
    script_end(s);
}

static void what_a_server_says_is_shown_printable_and_short(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, NULL);
    asks(s, POP3_CMD_NOOP);
    sends(s, "NOOP\r\n");
    char junk[301];
    memset(junk, '\x07', sizeof junk);
    junk[300] = '\n';
    says_octets(s, junk, sizeof junk);
    sees(s, "NOOP protocol");
    const char *detail;
    assert_int_equal(pop3_engine_error(s->engine, &detail), POP3_ERR_PROTOCOL);
    assert_in_range(strlen(detail), 60, 319);
    for (const char *p = detail; *p != '\0'; p++)
        assert_in_range(*p, 0x20, 0x7e);
    assert_string_equal(detail + strlen(detail) - 4, "...\"");
    script_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_greeting_that_refuses_ends_the_session),
        cmocka_unit_test(a_greeting_of_another_protocol_is_a_protocol_error),
        cmocka_unit_test(values_that_make_no_sense_are_a_protocol_error),
        cmocka_unit_test(a_listing_line_that_makes_no_sense_is_a_protocol_error),
        cmocka_unit_test(
            a_remark_among_unique_ids_is_passed_over_and_a_reply_or_nothing_else_is_not),
        cmocka_unit_test(remarks_before_the_reply_to_apop_are_passed_over_and_few_are_borne),
        cmocka_unit_test(the_end_of_input_before_quit_is_answered_is_an_error),
        cmocka_unit_test(a_failure_before_the_greeting_ends_the_greeting_and_the_commands),
        cmocka_unit_test(a_failure_tells_which_commands_had_been_sent),
        cmocka_unit_test(a_failure_inside_a_message_or_listing_ends_that_command),
        cmocka_unit_test(the_first_failure_stays),
        cmocka_unit_test(a_failure_is_never_a_success),
        cmocka_unit_test(a_dead_engine_has_nothing_left_to_send),
        cmocka_unit_test(a_farewell_while_idle_is_the_end_of_the_connection),
        cmocka_unit_test(anything_else_while_idle_is_a_protocol_error),
        cmocka_unit_test(two_replies_to_one_command_are_a_protocol_error),
        cmocka_unit_test(a_cr_out_of_turn_is_a_protocol_error_elsewhere),
        cmocka_unit_test(what_a_server_says_is_shown_printable_and_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
