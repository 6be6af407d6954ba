/* Capabilities: lines are gathered, then every field is parsed as RFC 2449 §6 and others say, and
 * nonsense does no harm. */
#include "spans.h"

#include "core/capabilities.h"

/* Parses an answer to CAPA given as lines that end with LF. */
static p3_caps caps_of(const char *lines)
{
    p3_caps c = {0};
    for (const char *lf; (lf = strchr(lines, '\n')) != NULL; lines = lf + 1)
        assert_true(p3_caps_add(&c, octets(lines, (size_t)(lf - lines))));
    assert_int_equal(*lines, '\0');
    assert_true(p3_caps_finish(&c));
    return c;
}

static void each_known_capability_sets_its_flag(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        uint32_t flags;
    } rows[] = {
        {"TOP\n", POP3_CAP_TOP},
        {"USER\n", POP3_CAP_USER},
        {"SASL PLAIN\n", POP3_CAP_SASL},
        {"SASL\n", POP3_CAP_SASL},
        {"RESP-CODES\n", POP3_CAP_RESP_CODES},
        {"LOGIN-DELAY 900\n", POP3_CAP_LOGIN_DELAY},
        {"PIPELINING\n", POP3_CAP_PIPELINING},
        {"EXPIRE 60\n", POP3_CAP_EXPIRE},
        {"UIDL\n", POP3_CAP_UIDL},
        {"STLS\n", POP3_CAP_STLS},
        {"AUTH-RESP-CODE\n", POP3_CAP_AUTH_RESP_CODE},
        {"UTF8\n", POP3_CAP_UTF8},
        {"UTF8 USER\n", POP3_CAP_UTF8 | POP3_CAP_UTF8_USER},
        {"UTF8 SOMETHING\n", POP3_CAP_UTF8},
        {"LANG\n", POP3_CAP_LANG},
        {"IMPLEMENTATION x\n", POP3_CAP_IMPLEMENTATION},
        {"X-SOMETHING\n", 0},
        {"TOPS\n", 0},
        {"TO\n", 0},
        {"\n", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        p3_caps c = caps_of(rows[i].line);
        assert_int_equal(c.value.flags, rows[i].flags);
        p3_caps_clear(&c);
    }
}

static void a_server_s_whole_answer_is_understood(void **state)
{
    (void)state;
    p3_caps c = caps_of("TOP\nUSER\nSASL CRAM-MD5 KERBEROS_V4\nRESP-CODES\nLOGIN-DELAY 900\n"
                        "PIPELINING\nEXPIRE 60\nUIDL\nIMPLEMENTATION Shlemazle-Plotz-v302\n");
    const pop3_capabilities *v = &c.value;
    assert_int_equal(v->line_count, 9);
    assert_string_equal(v->lines[0], "TOP");
    assert_string_equal(v->lines[8], "IMPLEMENTATION Shlemazle-Plotz-v302");
    assert_int_equal(v->sasl_count, 2);
    assert_string_equal(v->sasl[0], "CRAM-MD5");
    assert_string_equal(v->sasl[1], "KERBEROS_V4");
    assert_int_equal(v->login_delay, 900);
    assert_int_equal(v->expire, POP3_EXPIRE_DAYS);
    assert_int_equal(v->expire_days, 60);
    assert_string_equal(v->implementation, "Shlemazle-Plotz-v302");
    p3_caps_clear(&c);
}

static void letters_case_tabs_and_blanks_do_not_matter(void **state)
{
    (void)state;
    p3_caps c = caps_of("top \t\n\tuidl\nsasl\t plain \tXOAUTH2\t\n  expire\tnever \n"
                        "Login-Delay \t 30  user\t\nutf8\tuser\n");
    const pop3_capabilities *v = &c.value;
    assert_int_equal(v->flags, POP3_CAP_TOP | POP3_CAP_UIDL | POP3_CAP_SASL | POP3_CAP_EXPIRE |
                                   POP3_CAP_LOGIN_DELAY | POP3_CAP_UTF8 | POP3_CAP_UTF8_USER);
    assert_int_equal(v->sasl_count, 2);
    assert_string_equal(v->sasl[0], "plain");
    assert_string_equal(v->sasl[1], "XOAUTH2");
    assert_int_equal(v->expire, POP3_EXPIRE_NEVER);
    assert_int_equal(v->login_delay, 30);
    assert_true(v->login_delay_user);
    assert_string_equal(v->lines[0], "top");
    assert_string_equal(v->lines[1], "\tuidl");
    p3_caps_clear(&c);
}

static void expire_says_how_long_mail_is_kept(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        pop3_expire expire;
        uint32_t days;
        bool user;
    } rows[] = {
        {"EXPIRE NEVER\n", POP3_EXPIRE_NEVER, 0, false},
        {"EXPIRE never USER\n", POP3_EXPIRE_NEVER, 0, true},
        {"EXPIRE 0\n", POP3_EXPIRE_DAYS, 0, false},
        {"EXPIRE 30 USER\n", POP3_EXPIRE_DAYS, 30, true},
        {"EXPIRE 30 user\n", POP3_EXPIRE_DAYS, 30, true},
        {"EXPIRE 30 OTHER\n", POP3_EXPIRE_DAYS, 30, false},
        {"EXPIRE 4294967295\n", POP3_EXPIRE_DAYS, UINT32_MAX, false},
        {"EXPIRE 4294967296\n", POP3_EXPIRE_DAYS, UINT32_MAX, false},
        {"EXPIRE 18446744073709551616\n", POP3_EXPIRE_UNKNOWN, 0, false},
        {"EXPIRE\n", POP3_EXPIRE_UNKNOWN, 0, false},
        {"EXPIRE soon\n", POP3_EXPIRE_UNKNOWN, 0, false},
        {"EXPIRE soon USER\n", POP3_EXPIRE_UNKNOWN, 0, false},
        {"EXPIRE 30days\n", POP3_EXPIRE_UNKNOWN, 0, false},
        {"EXPIRE -1\n", POP3_EXPIRE_UNKNOWN, 0, false},
        {"EXPIRE USER\n", POP3_EXPIRE_UNKNOWN, 0, false},
        {"TOP\n", POP3_EXPIRE_UNKNOWN, 0, false},
        {"EXPIRE 5\nEXPIRE 7 USER\n", POP3_EXPIRE_DAYS, 7, true},
        {"EXPIRE 7 USER\nEXPIRE 5\n", POP3_EXPIRE_DAYS, 5, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        p3_caps c = caps_of(rows[i].lines);
        assert_int_equal(c.value.expire, rows[i].expire);
        assert_int_equal(c.value.expire_days, rows[i].days);
        assert_int_equal(c.value.expire_user, rows[i].user);
        p3_caps_clear(&c);
    }
}

static void login_delay_is_seconds_perhaps_for_each_user(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        uint32_t seconds;
        bool user;
    } rows[] = {
        {"LOGIN-DELAY 900\n", 900, false},
        {"LOGIN-DELAY 900 USER\n", 900, true},
        {"LOGIN-DELAY 0\n", 0, false},
        {"LOGIN-DELAY 99999999999\n", UINT32_MAX, false},
        {"LOGIN-DELAY\n", 0, false},
        {"LOGIN-DELAY USER\n", 0, false},
        {"LOGIN-DELAY 15m\n", 0, false},
        {"LOGIN-DELAY -1 USER\n", 0, false},
        {"LOGIN-DELAY 60\nLOGIN-DELAY x\n", 60, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        p3_caps c = caps_of(rows[i].lines);
        assert_int_equal(c.value.flags, POP3_CAP_LOGIN_DELAY);
        assert_int_equal(c.value.login_delay, rows[i].seconds);
        assert_int_equal(c.value.login_delay_user, rows[i].user);
        p3_caps_clear(&c);
    }
}

static void duplicate_lines_are_kept_and_the_last_one_counts(void **state)
{
    (void)state;
    p3_caps c = caps_of("SASL A B C\nTOP\nTOP\nIMPLEMENTATION one\nSASL D\nIMPLEMENTATION two\n");
    assert_int_equal(c.value.line_count, 6);
    assert_int_equal(c.value.sasl_count, 1);
    assert_string_equal(c.value.sasl[0], "D");
    assert_string_equal(c.value.implementation, "two");
    p3_caps_clear(&c);
}

static void the_implementation_may_hold_blanks_or_nothing(void **state)
{
    (void)state;
    p3_caps c = caps_of("IMPLEMENTATION  My Server\t1.0 (x) \n");
    assert_string_equal(c.value.implementation, "My Server\t1.0 (x)");
    p3_caps_clear(&c);
    c = caps_of("IMPLEMENTATION\n");
    assert_string_equal(c.value.implementation, "");
    p3_caps_clear(&c);
    c = caps_of("TOP\n");
    assert_null(c.value.implementation);
    p3_caps_clear(&c);
}

static void an_answer_without_lines_announces_nothing(void **state)
{
    (void)state;
    p3_caps c = caps_of("");
    assert_int_equal(c.value.flags, 0);
    assert_int_equal(c.value.line_count, 0);
    assert_int_equal(c.value.sasl_count, 0);
    assert_non_null(c.value.lines);
    assert_non_null(c.value.sasl);
    p3_caps_clear(&c);
}

static void a_nul_cannot_cut_a_line_short(void **state)
{
    (void)state;
    p3_caps c = {0};
    assert_true(p3_caps_add(&c, octets("X\0Y", 3)));
    assert_true(p3_caps_add(&c, octets("SASL A\0B C", 10)));
    assert_true(p3_caps_add(&c, octets(NULL, 0)));
    assert_true(p3_caps_finish(&c));
    assert_int_equal(c.value.line_count, 3);
    assert_string_equal(c.value.lines[0], "X?Y");
    assert_string_equal(c.value.sasl[0], "A?B");
    assert_string_equal(c.value.sasl[1], "C");
    assert_string_equal(c.value.lines[2], "");
    p3_caps_clear(&c);
}

static void many_long_lines_and_mechanisms_are_kept_whole(void **state)
{
    (void)state;
    p3_caps c = {0};
    char line[999] = "SASL";
    for (size_t i = 4; i + 1 < sizeof line; i++)
        line[i] = i % 2 == 0 ? ' ' : 'M';
    for (int i = 0; i < 300; i++)
        assert_true(p3_caps_add(&c, span(line)));
    assert_true(p3_caps_finish(&c));
    assert_int_equal(c.value.line_count, 300);
    assert_string_equal(c.value.lines[299], line);
    assert_int_equal(c.value.sasl_count, 497);
    for (size_t i = 0; i < c.value.sasl_count; i++)
        assert_string_equal(c.value.sasl[i], "M");
    p3_caps_clear(&c);
}

static void clearing_leaves_an_empty_answer_that_can_be_filled_again(void **state)
{
    (void)state;
    p3_caps c = caps_of("TOP\nSASL X\nIMPLEMENTATION y\nEXPIRE 3 USER\nLOGIN-DELAY 2 USER\n");
    p3_caps_clear(&c);
    assert_int_equal(c.value.flags, 0);
    assert_int_equal(c.value.expire, POP3_EXPIRE_UNKNOWN);
    assert_null(c.value.implementation);
    assert_true(p3_caps_add(&c, span("UIDL")));
    assert_true(p3_caps_finish(&c));
    assert_int_equal(c.value.flags, POP3_CAP_UIDL);
    assert_int_equal(c.value.line_count, 1);
    p3_caps_clear(&c);
}

static void a_capability_of_any_name_can_be_looked_up(void **state)
{
    (void)state;
    p3_caps c = caps_of("TOP\nX-THING with words\nIMPLEMENTATION TOPS UIDL\n\nSASL PLAIN Login\n");
    assert_true(pop3_capabilities_have(&c.value, "top"));
    assert_true(pop3_capabilities_have(&c.value, "X-thing"));
    assert_true(pop3_capabilities_have(&c.value, "SASL"));
    assert_false(pop3_capabilities_have(&c.value, "UIDL"));
    assert_false(pop3_capabilities_have(&c.value, "TO"));
    assert_false(pop3_capabilities_have(&c.value, "X-THING with"));
    assert_false(pop3_capabilities_have(&c.value, NULL));
    assert_false(pop3_capabilities_have(NULL, "TOP"));
    assert_true(pop3_capabilities_have_sasl(&c.value, "plain"));
    assert_true(pop3_capabilities_have_sasl(&c.value, "LOGIN"));
    assert_false(pop3_capabilities_have_sasl(&c.value, "LOG"));
    assert_false(pop3_capabilities_have_sasl(&c.value, ""));
    assert_false(pop3_capabilities_have_sasl(&c.value, NULL));
    assert_false(pop3_capabilities_have_sasl(NULL, "PLAIN"));
    p3_caps_clear(&c);
}

static void a_look_up_agrees_with_the_flags(void **state)
{
    (void)state;
    p3_caps c = caps_of(" \tTOP\n\n");
    assert_int_equal(c.value.flags, POP3_CAP_TOP);
    assert_true(pop3_capabilities_have(&c.value, "TOP"));
    assert_false(pop3_capabilities_have(&c.value, "")); /* the empty line announces nothing */
    p3_caps_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_known_capability_sets_its_flag),
        cmocka_unit_test(a_server_s_whole_answer_is_understood),
        cmocka_unit_test(letters_case_tabs_and_blanks_do_not_matter),
        cmocka_unit_test(expire_says_how_long_mail_is_kept),
        cmocka_unit_test(login_delay_is_seconds_perhaps_for_each_user),
        cmocka_unit_test(duplicate_lines_are_kept_and_the_last_one_counts),
        cmocka_unit_test(the_implementation_may_hold_blanks_or_nothing),
        cmocka_unit_test(an_answer_without_lines_announces_nothing),
        cmocka_unit_test(a_nul_cannot_cut_a_line_short),
        cmocka_unit_test(many_long_lines_and_mechanisms_are_kept_whole),
        cmocka_unit_test(clearing_leaves_an_empty_answer_that_can_be_filled_again),
        cmocka_unit_test(a_capability_of_any_name_can_be_looked_up),
        cmocka_unit_test(a_look_up_agrees_with_the_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
