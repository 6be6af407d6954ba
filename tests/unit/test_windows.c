/* Which commands share a window: pipelining auto, on and off, what travels alone, how far a window
 * goes, and when capabilities are known. */
#include "engine_script.h"

#include <stdio.h>

static size_t lines_in_output(script *s)
{
    size_t len;
    const char *p = pop3_engine_output(s->engine, &len);
    size_t lines = 0;
    for (size_t i = 0; i < len; i++)
        lines += p[i] == '\n';
    return lines;
}

static void where_pipelining_is_announced_commands_go_together(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, "PIPELINING\r\n");
    asks(s, POP3_CMD_STAT);
    asks(s, POP3_CMD_LIST);
    asks_number(s, POP3_CMD_RETR, 1);
    asks_top(s, 2, 0);
    asks_number(s, POP3_CMD_DELE, 1);
    sends(s, "STAT\r\nLIST\r\nRETR 1\r\nTOP 2 0\r\nDELE 1\r\n");
    says(s, "+OK 2 5\r\n+OK\r\n1 3\r\n2 2\r\n.\r\n+OK\r\nHi\r\n.\r\n+OK\r\n\r\n.\r\n+OK\r\n");
    sees(s, "STAT ok {2 5} 2 5\n"
            "LIST reply {}\nLIST entry 1 3\nLIST entry 2 2\nLIST ok\n"
            "RETR 1 reply {}\nRETR 1 body {Hi\r\n}\nRETR 1 ok\n"
            "TOP 2 reply {}\nTOP 2 body {\r\n}\nTOP 2 ok\n"
            "DELE 1 ok {}");
    script_end(s);
}

static void where_it_is_not_announced_commands_go_one_by_one(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, "TOP\r\nUIDL\r\n");
    asks_number(s, POP3_CMD_DELE, 1);
    asks_number(s, POP3_CMD_DELE, 2);
    sends(s, "DELE 1\r\n");
    sends(s, "");
    says(s, "+OK\r\n");
    sees(s, "DELE 1 ok {}");
    sends(s, "DELE 2\r\n");
    says(s, "+OK\r\n");
    sees(s, "DELE 2 ok {}");
    script_end(s);
}

static void off_means_one_by_one_whatever_is_announced(void **state)
{
    (void)state;
    pop3_engine_options o = with_pipelining(POP3_PIPELINING_OFF);
    script *s = script_logged_in(&o, "PIPELINING\r\n");
    asks_number(s, POP3_CMD_DELE, 1);
    asks_number(s, POP3_CMD_DELE, 2);
    sends(s, "DELE 1\r\n");
    says(s, "+OK\r\n");
    sees(s, "DELE 1 ok {}");
    sends(s, "DELE 2\r\n");
    says(s, "+OK\r\n");
    sees(s, "DELE 2 ok {}");
    script_end(s);
}

static void on_means_together_and_no_questions_asked(void **state)
{
    (void)state;
    pop3_engine_options o = with_pipelining(POP3_PIPELINING_ON);
    script *s = script_logged_in(&o, NULL);
    asks_number(s, POP3_CMD_DELE, 1);
    asks_number(s, POP3_CMD_DELE, 2);
    sends(s, "DELE 1\r\nDELE 2\r\n");
    says(s, "+OK\r\n+OK\r\n");
    sees(s, "DELE 1 ok {}\nDELE 2 ok {}");
    script_end(s);
}

static void a_masked_pipelining_counts_as_not_announced(void **state)
{
    (void)state;
    pop3_engine_options o = POP3_ENGINE_OPTIONS_INIT;
    o.masked = POP3_CAP_PIPELINING | POP3_CAP_TOP;
    script *s = script_logged_in(&o, "PIPELINING\r\nTOP\r\nUIDL\r\n");
    assert_int_equal(pop3_engine_capabilities(s->engine)->flags, POP3_CAP_UIDL);
    asks(s, POP3_CMD_NOOP);
    asks(s, POP3_CMD_NOOP);
    sends(s, "NOOP\r\n");
    says(s, "+OK\r\n");
    sees(s, "NOOP ok {}");
    script_free(s);
}

static void auto_asks_for_capabilities_once_and_the_caller_sees_nothing_of_it(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, NULL);
    asks_number(s, POP3_CMD_RETR, 1);
    asks_number(s, POP3_CMD_RETR, 2);
    sends(s, "CAPA\r\n");
    sends(s, "");
    says(s, "+OK\r\nTOP\r\nPIPELINING\r\n.\r\n");
    sees(s, "");
    assert_int_equal(pop3_engine_capabilities(s->engine)->flags,
                     POP3_CAP_TOP | POP3_CAP_PIPELINING);
    sends(s, "RETR 1\r\nRETR 2\r\n");
    says(s, "-ERR\r\n-ERR\r\n");
    sees(s, "RETR 1 refused {}\nRETR 2 refused {}");
    asks(s, POP3_CMD_NOOP);
    asks(s, POP3_CMD_NOOP);
    sends(s, "NOOP\r\nNOOP\r\n"); /* it is known now */
    says(s, "+OK\r\n+OK\r\n");
    sees(s, "NOOP ok {}\nNOOP ok {}");
    script_end(s);
}

static void a_server_without_capa_is_asked_once_and_served_one_by_one(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, NULL);
    for (uint32_t i = 1; i <= 3; i++)
        asks_number(s, POP3_CMD_DELE, i);
    sends(s, "CAPA\r\n");
    says(s, "-ERR unknown command\r\n");
    sees(s, "");
    assert_null(pop3_engine_capabilities(s->engine));
    sends(s, "DELE 1\r\n");
    says(s, "+OK\r\n");
    sees(s, "DELE 1 ok {}");
    sends(s, "DELE 2\r\n");
    says(s, "+OK\r\n");
    sees(s, "DELE 2 ok {}");
    sends(s, "DELE 3\r\n");
    says(s, "+OK\r\n");
    sees(s, "DELE 3 ok {}");
    script_end(s);
}

static void auto_does_not_ask_when_there_is_nothing_to_gain(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, NULL);
    asks(s, POP3_CMD_STAT); /* one command alone */
    sends(s, "STAT\r\n");
    says(s, "+OK 0 0\r\n");
    sees(s, "STAT ok {0 0} 0 0");
    asks(s, POP3_CMD_NOOP); /* the second travels alone */
    asks(s, POP3_CMD_QUIT);
    sends(s, "NOOP\r\n");
    script_free(s);

    s = script_logged_in(NULL, NULL);
    asks(s, POP3_CMD_CAPA); /* the caller asks */
    asks(s, POP3_CMD_NOOP);
    sends(s, "CAPA\r\n");
    says(s, "+OK\r\n.\r\n");
    sees(s, "CAPA reply {}\nCAPA ok");
    sends(s, "NOOP\r\n");
    script_free(s);

    pop3_engine_options o = POP3_ENGINE_OPTIONS_INIT;
    o.max_in_flight = 1; /* there are no windows */
    s = script_logged_in(&o, NULL);
    asks(s, POP3_CMD_NOOP);
    asks(s, POP3_CMD_NOOP);
    sends(s, "NOOP\r\n");
    script_free(s);

    s = script_begin(NULL); /* before login */
    says(s, "+OK\r\n");
    sees(s, "greeting ok {}");
    asks_text(s, POP3_CMD_USER, "a");
    asks(s, POP3_CMD_UTF8);
    sends(s, "USER a\r\n");
    script_free(s);
}

static void a_refused_command_in_a_window_fails_alone(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, "PIPELINING\r\n");
    for (uint32_t i = 1; i <= 3; i++)
        asks_number(s, POP3_CMD_RETR, i);
    sends(s, "RETR 1\r\nRETR 2\r\nRETR 3\r\n");
    says(s, "+OK\r\na\r\n.\r\n-ERR no such message\r\n+OK\r\nc\r\n.\r\n");
    sees(s, "RETR 1 reply {}\nRETR 1 body {a\r\n}\nRETR 1 ok\n"
            "RETR 2 refused {no such message}\n"
            "RETR 3 reply {}\nRETR 3 body {c\r\n}\nRETR 3 ok");
    script_end(s);
}

/* Each command that changes the session, between two that could share a window: nothing is rendered
 * together with it or across it, in any mode. */
static void nothing_is_ever_sent_across_a_command_that_travels_alone(void **state)
{
    (void)state;
    static const struct {
        pop3_command_kind kind;
        const char *text;
        const char *line;
    } rows[] = {
        {POP3_CMD_APOP, "a b", "APOP a b\r\n"}, {POP3_CMD_RPOP, "a", "RPOP a\r\n"},
        {POP3_CMD_AUTH, "X", "AUTH X\r\n"},     {POP3_CMD_STLS, NULL, "STLS\r\n"},
        {POP3_CMD_RAW, "X", "X\r\n"},           {POP3_CMD_RAW_LIST, "X", "X\r\n"},
        {POP3_CMD_QUIT, NULL, "QUIT\r\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        pop3_engine_options o = with_pipelining(POP3_PIPELINING_ON);
        script *s = script_begin(&o);
        says(s, "+OK\r\n");
        sees(s, "greeting ok {}");
        asks(s, POP3_CMD_NOOP);
        asks(s, POP3_CMD_NOOP);
        asks_text(s, rows[i].kind, rows[i].text);
        if (rows[i].kind != POP3_CMD_QUIT) {
            asks(s, POP3_CMD_STAT);
            asks(s, POP3_CMD_STAT);
        }
        sends(s, "NOOP\r\nNOOP\r\n");
        says(s, "+OK\r\n");
        sees(s, "NOOP ok {}");
        sends(s, "");
        says(s, "+OK\r\n");
        sees(s, "NOOP ok {}");
        sends(s, rows[i].line);
        sends(s, "");
        says(s, "-ERR\r\n");
        pop3_command_kind kind;
        if (rows[i].kind != POP3_CMD_QUIT) {
            assert_true(pop3_engine_current(s->engine, &kind, NULL)); /* its turn is over */
            assert_int_equal(kind, POP3_CMD_STAT);
        }
        sends(s, rows[i].kind == POP3_CMD_QUIT ? "" : "STAT\r\nSTAT\r\n");
        script_free(s);
    }
}

/* The window is filled up again once half of it has been answered: one write, not one a reply. */
static void a_window_has_a_limit_and_is_refilled_by_halves(void **state)
{
    (void)state;
    pop3_engine_options o = with_pipelining(POP3_PIPELINING_ON);
    o.max_in_flight = 4;
    script *s = script_logged_in(&o, NULL);
    for (uint32_t i = 1; i <= 8; i++)
        asks_number(s, POP3_CMD_DELE, i);
    sends(s, "DELE 1\r\nDELE 2\r\nDELE 3\r\nDELE 4\r\n");
    assert_int_equal(pop3_engine_in_flight(s->engine), 4);
    assert_int_equal(pop3_engine_pending(s->engine), 8);
    says(s, "+OK\r\n");
    sees(s, "DELE 1 ok {}");
    sends(s, "");
    says(s, "+OK\r\n");
    sees(s, "DELE 2 ok {}");
    sends(s, "DELE 5\r\nDELE 6\r\n");
    says(s, "+OK\r\n+OK\r\n+OK\r\n+OK\r\n");
    sees(s, "DELE 3 ok {}\nDELE 4 ok {}\nDELE 5 ok {}\nDELE 6 ok {}");
    sends(s, "DELE 7\r\nDELE 8\r\n");
    says(s, "+OK\r\n+OK\r\n");
    sees(s, "DELE 7 ok {}\nDELE 8 ok {}");
    assert_int_equal(pop3_engine_in_flight(s->engine), 0);
    assert_int_equal(pop3_engine_pending(s->engine), 0);
    script_end(s);
}

static void windows_of_one_two_and_three_make_progress(void **state)
{
    (void)state;
    for (uint32_t most = 1; most <= 3; most++) {
        pop3_engine_options o = with_pipelining(POP3_PIPELINING_ON);
        o.max_in_flight = most;
        script *s = script_logged_in(&o, NULL);
        for (uint32_t i = 1; i <= 10; i++)
            asks_number(s, POP3_CMD_DELE, i);
        for (uint32_t i = 1; i <= 10; i++) {
            lines_in_output(s);
            assert_in_range(pop3_engine_in_flight(s->engine), 1, most);
            says(s, "+OK\r\n");
        }
        assert_int_equal(pop3_engine_pending(s->engine), 0);
        script_free(s);
    }
}

/* How many commands go out once all those before are answered. */
static size_t next_window(script *s)
{
    size_t len;
    size_t lines = lines_in_output(s);
    pop3_engine_output(s->engine, &len);
    pop3_engine_sent(s->engine, len);
    for (size_t i = 0; i < lines; i++)
        says(s, "+OK\r\n");
    s->events.len = 0; /* they are as many */
    return lines;
}

static void the_window_grows_from_1024_to_4096_commands_as_they_are_answered(void **state)
{
    (void)state;
    pop3_engine_options o = with_pipelining(POP3_PIPELINING_ON);
    script *s = script_logged_in(&o, NULL);
    for (uint32_t i = 1; i <= 12000; i++)
        asks_number(s, POP3_CMD_DELE, i);
    assert_int_equal(next_window(s), 1024);
    assert_int_equal(next_window(s), 2048);
    assert_int_equal(next_window(s), 4096);
    assert_int_equal(next_window(s), 4096);
    script_free(s);
}

static void a_window_that_was_asked_for_does_not_grow(void **state)
{
    (void)state;
    pop3_engine_options o = with_pipelining(POP3_PIPELINING_ON);
    o.max_in_flight = 3;
    script *s = script_logged_in(&o, NULL);
    for (uint32_t i = 1; i <= 9; i++)
        asks_number(s, POP3_CMD_DELE, i);
    for (int i = 0; i < 3; i++)
        assert_int_equal(next_window(s), 3);
    script_free(s);
}

static void a_window_is_full_when_its_commands_come_to_64_KiB(void **state)
{
    (void)state;
    pop3_engine_options o = with_pipelining(POP3_PIPELINING_ON);
    script *s = script_begin(&o);
    says(s, "+OK\r\n");
    char name[8001];
    memset(name, 'n', 8000);
    name[8000] = '\0';
    for (int i = 0; i < 20; i++)
        asks_text(s, POP3_CMD_USER, name);
    assert_int_equal(lines_in_output(s), 9);
    size_t len;
    pop3_engine_output(s->engine, &len);
    pop3_engine_sent(s->engine, len);
    assert_int_equal(lines_in_output(s), 0); /* sent is not answered */
    for (int i = 0; i < 4; i++)
        says(s, "+OK\r\n");
    assert_int_equal(lines_in_output(s), 0); /* more than half full */
    says(s, "+OK\r\n");
    assert_int_equal(lines_in_output(s), 5);
    script_free(s);
}

/* What the server announced holds for the state it was announced in. */
static void capabilities_are_forgotten_after_login_and_after_stls(void **state)
{
    (void)state;
    script *s = script_begin(NULL);
    assert_null(pop3_engine_capabilities(s->engine));
    says(s, "+OK\r\n");
    sees(s, "greeting ok {}");
    asks(s, POP3_CMD_CAPA);
    sends(s, "CAPA\r\n");
    says(s, "+OK list\r\nSTLS\r\nSASL PLAIN\r\n.\r\n");
    sees(s, "CAPA reply {list}\nCAPA entry {STLS}\nCAPA entry {SASL PLAIN}\nCAPA ok");
    assert_true(pop3_capabilities_have_sasl(pop3_engine_capabilities(s->engine), "plain"));
    asks(s, POP3_CMD_STLS);
    sends(s, "STLS\r\n");
    says(s, "+OK\r\n");
    sees(s, "STLS ok {}");
    assert_null(pop3_engine_capabilities(s->engine));
    pop3_engine_tls_started(s->engine);
    assert_null(pop3_engine_capabilities(s->engine));
    asks(s, POP3_CMD_CAPA);
    sends(s, "CAPA\r\n");
    says(s, "+OK\r\nSASL XOAUTH2\r\nPIPELINING\r\n.\r\n");
    sees(s, "CAPA reply {}\nCAPA entry {SASL XOAUTH2}\nCAPA entry {PIPELINING}\nCAPA ok");
    assert_false(pop3_capabilities_have_sasl(pop3_engine_capabilities(s->engine), "plain"));
    asks_text(s, POP3_CMD_PASS, "x");
    sends(s, "PASS x\r\n");
    says(s, "-ERR\r\n");
    sees(s, "PASS refused {}");
    assert_non_null(pop3_engine_capabilities(s->engine)); /* nothing has changed */
    asks_text(s, POP3_CMD_PASS, "x");
    sends(s, "PASS x\r\n");
    says(s, "+OK\r\n");
    sees(s, "PASS ok {}");
    assert_null(pop3_engine_capabilities(s->engine));
    script_free(s);
}

/* A session that has asked CAPA before login, and got this answer. */
static script *asked_before_login(const pop3_engine_options *options, const char *answer)
{
    script *s = script_begin(options);
    says(s, "+OK\r\n");
    asks(s, POP3_CMD_CAPA);
    sends(s, "CAPA\r\n");
    says(s, answer);
    return s;
}

static void user_and_pass_share_a_window_and_nothing_comes_behind(void **state)
{
    (void)state;
    script *s = asked_before_login(NULL, "+OK\r\nPIPELINING\r\n.\r\n");
    sees(s, "greeting ok {}\nCAPA reply {}\nCAPA entry {PIPELINING}\nCAPA ok");
    asks_text(s, POP3_CMD_USER, "mrose");
    asks_text(s, POP3_CMD_PASS, "hunter2");
    asks(s, POP3_CMD_STAT);
    asks(s, POP3_CMD_NOOP);
    sends(s, "USER mrose\r\nPASS hunter2\r\n");
    says(s, "+OK\r\n");
    sees(s, "USER ok {}");
    sends(s, "");
    says(s, "+OK in\r\n");
    sees(s, "PASS ok {in}");
    assert_int_equal(pop3_engine_state(s->engine), POP3_STATE_TRANSACTION);
    sends(s, "CAPA\r\nSTAT\r\nNOOP\r\n");
    script_free(s);
}

static void log_in(script *s)
{
    asks_text(s, POP3_CMD_PASS, "x");
    sends(s, "PASS x\r\n");
    says(s, "+OK\r\n");
}

/* A session that was told before login what the server can do, and has logged in. */
static script *told_before_login(const pop3_engine_options *options, const char *capability)
{
    char answer[100];
    char seen[100];
    snprintf(answer, sizeof answer, "+OK\r\n%s\r\n.\r\n", capability);
    snprintf(seen, sizeof seen,
             "greeting ok {}\nCAPA reply {}\nCAPA entry {%s}\nCAPA ok\nPASS ok {}", capability);
    script *s = asked_before_login(options, answer);
    log_in(s);
    sees(s, seen);
    assert_null(pop3_engine_capabilities(s->engine));
    return s;
}

/* RFC 2449 §6.6: it is no different after login. */
static void pipelining_that_was_announced_before_login_costs_no_question(void **state)
{
    (void)state;
    script *s = told_before_login(NULL, "PIPELINING");
    assert_true(pop3_engine_pipelines(s->engine));
    asks(s, POP3_CMD_NOOP);
    asks(s, POP3_CMD_STAT);
    sends(s, "CAPA\r\nNOOP\r\nSTAT\r\n"); /* what else it can do is learned along with it */
    says(s, "+OK\r\nPIPELINING\r\nTOP\r\n.\r\n+OK\r\n+OK 0 0\r\n");
    sees(s, "NOOP ok {}\nSTAT ok {0 0} 0 0");
    assert_int_equal(pop3_engine_capabilities(s->engine)->flags,
                     POP3_CAP_TOP | POP3_CAP_PIPELINING);
    script_end(s);

    s = told_before_login(NULL, "PIPELINING");
    asks(s, POP3_CMD_CAPA); /* the caller asks */
    asks(s, POP3_CMD_NOOP);
    sends(s, "CAPA\r\nNOOP\r\n");
    script_free(s);

    s = told_before_login(NULL, "PIPELINING");
    asks(s, POP3_CMD_NOOP); /* there is nothing to gain */
    sends(s, "NOOP\r\n");
    script_free(s);

    pop3_engine_options o = with_pipelining(POP3_PIPELINING_OFF);
    s = told_before_login(&o, "PIPELINING");
    assert_false(pop3_engine_pipelines(s->engine));
    asks(s, POP3_CMD_NOOP);
    asks(s, POP3_CMD_NOOP);
    sends(s, "NOOP\r\n");
    script_free(s);
}

static void what_the_server_says_after_login_counts_from_then_on(void **state)
{
    (void)state;
    pop3_engine_options o = POP3_ENGINE_OPTIONS_INIT;
    o.max_in_flight = 3;
    script *s = told_before_login(&o, "PIPELINING");
    for (int i = 0; i < 4; i++)
        asks(s, POP3_CMD_NOOP);
    sends(s, "CAPA\r\nNOOP\r\nNOOP\r\n");
    says(s, "+OK\r\nTOP\r\n.\r\n+OK\r\n");
    sees(s, "NOOP ok {}");
    assert_false(pop3_engine_pipelines(s->engine));
    sends(s, ""); /* one by one */
    says(s, "+OK\r\n");
    sees(s, "NOOP ok {}");
    sends(s, "NOOP\r\n");
    script_free(s);

    o.max_in_flight = 0;
    s = told_before_login(&o, "PIPELINING");
    asks(s, POP3_CMD_NOOP);
    asks(s, POP3_CMD_NOOP);
    sends(s, "CAPA\r\nNOOP\r\nNOOP\r\n");
    says(s, "-ERR\r\n+OK\r\n+OK\r\n");
    sees(s, "NOOP ok {}\nNOOP ok {}");
    assert_false(pop3_engine_pipelines(s->engine));
    script_end(s);

    s = told_before_login(NULL, "TOP");
    assert_false(pop3_engine_pipelines(s->engine));
    asks(s, POP3_CMD_NOOP);
    asks(s, POP3_CMD_NOOP);
    sends(s, "CAPA\r\n");
    script_free(s);
}

/* Anybody may have said so. */
static void pipelining_that_was_announced_in_the_clear_does_not_count_under_tls(void **state)
{
    (void)state;
    script *s = asked_before_login(NULL, "+OK\r\nPIPELINING\r\nSTLS\r\n.\r\n");
    asks(s, POP3_CMD_STLS);
    sends(s, "STLS\r\n");
    says(s, "+OK\r\n");
    script_drain(s);
    pop3_engine_tls_started(s->engine);
    assert_false(pop3_engine_pipelines(s->engine));
    log_in(s);
    script_drain(s);
    asks(s, POP3_CMD_NOOP);
    asks(s, POP3_CMD_NOOP);
    sends(s, "CAPA\r\n");
    script_free(s);
}

static void a_refusal_of_capa_is_forgotten_after_login(void **state)
{
    (void)state;
    script *s = asked_before_login(NULL, "-ERR not now\r\n");
    sees(s, "greeting ok {}\nCAPA refused {not now}");
    log_in(s);
    sees(s, "PASS ok {}");
    asks(s, POP3_CMD_NOOP);
    asks(s, POP3_CMD_NOOP);
    sends(s, "CAPA\r\n");
    script_free(s);
}

static void capabilities_are_unknown_while_a_second_answer_comes_in(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, "PIPELINING\r\n");
    asks(s, POP3_CMD_CAPA);
    sends(s, "CAPA\r\n");
    says(s, "+OK\r\nTOP\r\n");
    assert_null(pop3_engine_capabilities(s->engine));
    says(s, ".\r\n");
    assert_int_equal(pop3_engine_capabilities(s->engine)->flags, POP3_CAP_TOP);
    script_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_pipelining_is_announced_commands_go_together),
        cmocka_unit_test(where_it_is_not_announced_commands_go_one_by_one),
        cmocka_unit_test(off_means_one_by_one_whatever_is_announced),
        cmocka_unit_test(on_means_together_and_no_questions_asked),
        cmocka_unit_test(a_masked_pipelining_counts_as_not_announced),
        cmocka_unit_test(auto_asks_for_capabilities_once_and_the_caller_sees_nothing_of_it),
        cmocka_unit_test(a_server_without_capa_is_asked_once_and_served_one_by_one),
        cmocka_unit_test(auto_does_not_ask_when_there_is_nothing_to_gain),
        cmocka_unit_test(a_refused_command_in_a_window_fails_alone),
        cmocka_unit_test(nothing_is_ever_sent_across_a_command_that_travels_alone),
        cmocka_unit_test(user_and_pass_share_a_window_and_nothing_comes_behind),
        cmocka_unit_test(a_window_has_a_limit_and_is_refilled_by_halves),
        cmocka_unit_test(windows_of_one_two_and_three_make_progress),
        cmocka_unit_test(the_window_grows_from_1024_to_4096_commands_as_they_are_answered),
        cmocka_unit_test(a_window_that_was_asked_for_does_not_grow),
        cmocka_unit_test(a_window_is_full_when_its_commands_come_to_64_KiB),
        cmocka_unit_test(capabilities_are_forgotten_after_login_and_after_stls),
        cmocka_unit_test(pipelining_that_was_announced_before_login_costs_no_question),
        cmocka_unit_test(what_the_server_says_after_login_counts_from_then_on),
        cmocka_unit_test(pipelining_that_was_announced_in_the_clear_does_not_count_under_tls),
        cmocka_unit_test(a_refusal_of_capa_is_forgotten_after_login),
        cmocka_unit_test(capabilities_are_unknown_while_a_second_answer_comes_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
