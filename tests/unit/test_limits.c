/* Limits on what a server may make us take: at the limit all is well, beyond it the connection
 * dies, and what costs no memory has no limit. */
#include "engine_script.h"

static script *asking(const pop3_engine_options *options, pop3_command_kind kind, const char *line)
{
    script *s = script_logged_in(options, NULL);
    asks(s, kind);
    sends(s, line);
    return s;
}

static pop3_engine_options limited(size_t reply_line)
{
    pop3_engine_options o = POP3_ENGINE_OPTIONS_INIT;
    o.limits.reply_line = reply_line;
    return o;
}

/* start, then as many x as make n octets with CRLF. */
static char *line_of(const char *start, size_t n)
{
    char *line = malloc(n + 1);
    assert_non_null(line);
    memset(line, 'x', n);
    memcpy(line, start, strlen(start));
    memcpy(line + n - 2, "\r\n", 3);
    return line;
}

/* What became of a line of n octets, fed whole or octet by octet. */
static pop3_status after_line(const pop3_engine_options *options, pop3_command_kind kind,
                              const char *start, size_t n, bool by_octets)
{
    script *s = script_logged_in(options, NULL);
    asks(s, kind);
    size_t len;
    pop3_engine_output(s->engine, &len);
    pop3_engine_sent(s->engine, len);
    if (kind != POP3_CMD_NOOP)
        says(s, "+OK\r\n");
    char *line = line_of(start, n);
    for (size_t i = 0; by_octets && i < n; i++)
        says_octets(s, line + i, 1);
    if (!by_octets)
        says(s, line);
    free(line);
    pop3_status status = pop3_engine_error(s->engine, NULL);
    script_free(s);
    return status;
}

static void a_line_of_a_reply_or_listing_has_a_limit(void **state)
{
    (void)state;
    static const struct {
        pop3_command_kind kind;
        const char *start;
    } rows[] = {
        {POP3_CMD_NOOP, "+OK "}, {POP3_CMD_NOOP, "-ERR "}, {POP3_CMD_UIDL, "1 "},
        {POP3_CMD_LIST, "1 2 "}, {POP3_CMD_CAPA, ""},
    };
    static const size_t limits[] = {0, 512, 1000}; /* 0: the default */
    for (size_t l = 0; l < 3; l++) {
        pop3_engine_options o = limited(limits[l]);
        size_t limit = limits[l] == 0 ? 8192 : limits[l];
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            for (int by_octets = 0; by_octets <= 1; by_octets++) {
                assert_int_equal(after_line(&o, rows[i].kind, rows[i].start, limit, by_octets),
                                 POP3_OK);
                assert_int_equal(after_line(&o, rows[i].kind, rows[i].start, limit + 1, by_octets),
                                 POP3_ERR_LIMIT);
            }
        }
    }
}

static void a_greeting_without_end_is_cut_off_at_the_limit(void **state)
{
    (void)state;
    script *s = script_begin(NULL);
    size_t taken = 0;
    while (pop3_engine_state(s->engine) == POP3_STATE_GREETING) {
        says(s, "+x");
        taken += 2;
        assert_in_range(taken, 1, 8192);
    }
    sees(s, "greeting limit");
    died(s, POP3_ERR_LIMIT, "a reply line is longer than the limit");
    script_end(s);
}

static void a_line_of_a_message_has_no_limit(void **state)
{
    (void)state;
    pop3_engine_options o = limited(512);
    script *s = script_logged_in(&o, NULL);
    asks_number(s, POP3_CMD_RETR, 1);
    sends(s, "RETR 1\r\n");
    says(s, "+OK\r\n");
    char *line = line_of("", 1000000);
    says(s, line);
    free(line);
    says(s, ".\r\n");
    assert_int_equal(s->events.len,
                     strlen("RETR 1 reply {}\nRETR 1 body {") + 1000000 + strlen("}\nRETR 1 ok"));
    assert_string_equal(s->events.text + s->events.len - 9, "RETR 1 ok");
    script_free(s);
}

static void entries_of_a_listing_have_a_limit(void **state)
{
    (void)state;
    static const struct {
        pop3_command_kind kind;
        const char *line;
        const char *two;
    } rows[] = {
        {POP3_CMD_LIST, "LIST\r\n", "1 10\r\n2 20\r\n"},
        {POP3_CMD_UIDL, "UIDL\r\n", "1 a\r\n2 b\r\n"},
        {POP3_CMD_LANG_LIST, "LANG\r\n", "de German\r\nen English\r\n"},
    };
    pop3_engine_options o = POP3_ENGINE_OPTIONS_INIT;
    o.limits.entries = 2;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        script *s = asking(&o, rows[i].kind, rows[i].line);
        says(s, "+OK\r\n");
        says(s, rows[i].two);
        says(s, ".\r\n");
        assert_int_equal(pop3_engine_error(s->engine, NULL), POP3_OK);
        assert_int_equal(pop3_engine_pending(s->engine), 0);
        script_free(s);
        s = asking(&o, rows[i].kind, rows[i].line);
        says(s, "+OK\r\n");
        says(s, rows[i].two);
        says(s, "3 30\r\n");
        died(s, POP3_ERR_LIMIT, "the listing has more entries than the limit");
        script_free(s);
    }
}

static void lines_of_capa_have_a_limit(void **state)
{
    (void)state;
    static const size_t limits[] = {0, 3}; /* 0: the default */
    for (size_t l = 0; l < 2; l++) {
        pop3_engine_options o = POP3_ENGINE_OPTIONS_INIT;
        o.limits.capabilities = limits[l];
        size_t limit = limits[l] == 0 ? 256 : limits[l];
        script *s = asking(&o, POP3_CMD_CAPA, "CAPA\r\n");
        says(s, "+OK\r\n");
        for (size_t i = 0; i < limit; i++)
            says(s, "X\r\n");
        says(s, ".\r\n");
        assert_int_equal(pop3_engine_capabilities(s->engine)->line_count, limit);
        asks(s, POP3_CMD_CAPA);
        sends(s, "CAPA\r\n");
        says(s, "+OK\r\n");
        for (size_t i = 0; i <= limit; i++)
            says(s, "X\r\n");
        died(s, POP3_ERR_LIMIT, "CAPA: more lines than the limit allows");
        assert_null(pop3_engine_capabilities(s->engine));
        script_free(s);
    }
}

/* The octets count as they are handed out: without stuffed dots, without the end. */
static void octets_of_a_message_have_a_limit_when_asked_for(void **state)
{
    (void)state;
    pop3_engine_options o = POP3_ENGINE_OPTIONS_INIT;
    o.limits.message_octets = 10;
    script *s = script_logged_in(&o, NULL);
    for (uint32_t i = 1; i <= 2; i++) { /* each message counts anew */
        asks_number(s, POP3_CMD_RETR, i);
        sends(s, i == 1 ? "RETR 1\r\n" : "RETR 2\r\n");
        says(s, "+OK\r\n..345678\r\n.\r\n");
        sees(s, i == 1 ? "RETR 1 reply {}\nRETR 1 body {.345678\r\n}\nRETR 1 ok"
                       : "RETR 2 reply {}\nRETR 2 body {.345678\r\n}\nRETR 2 ok");
    }
    asks_top(s, 3, 9);
    sends(s, "TOP 3 9\r\n");
    says(s, "+OK\r\n123456789\r\n.\r\n");
    sees(s, "TOP 3 reply {}\nTOP 3 body {123456789\r}\nTOP 3 limit");
    died(s, POP3_ERR_LIMIT, "the message is larger than the limit");
    script_end(s);
}

static void a_message_beyond_its_limit_is_cut_at_the_same_octet_for_any_split(void **state)
{
    (void)state;
    static const char message[] = "+OK\r\nab\r\n..cd\r\n.\re\r\n.\r\n";
    static const char octets[] = "ab\r\n.cd\r\n.\re\r\n";
    for (size_t limit = 1; limit < sizeof octets - 1; limit++) {
        for (size_t piece = 1; piece < sizeof message; piece++) {
            pop3_engine_options o = POP3_ENGINE_OPTIONS_INIT;
            o.limits.message_octets = limit;
            script *s = script_logged_in(&o, NULL);
            asks_number(s, POP3_CMD_RETR, 1);
            sends(s, "RETR 1\r\n");
            for (size_t at = 0; at < sizeof message - 1; at += piece) {
                size_t rest = sizeof message - 1 - at;
                says_octets(s, message + at, rest < piece ? rest : piece);
            }
            growing expected = {0};
            growing_text(&expected, "RETR 1 reply {}\nRETR 1 body {");
            growing_add(&expected, octets, limit);
            growing_text(&expected, "}\nRETR 1 limit");
            sees(s, expected.text);
            growing_free(&expected);
            script_end(s);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_of_a_reply_or_listing_has_a_limit),
        cmocka_unit_test(a_greeting_without_end_is_cut_off_at_the_limit),
        cmocka_unit_test(a_line_of_a_message_has_no_limit),
        cmocka_unit_test(entries_of_a_listing_have_a_limit),
        cmocka_unit_test(lines_of_capa_have_a_limit),
        cmocka_unit_test(octets_of_a_message_have_a_limit_when_asked_for),
        cmocka_unit_test(a_message_beyond_its_limit_is_cut_at_the_same_octet_for_any_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
