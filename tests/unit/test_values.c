/* The parsers of replies: status lines and response codes, STAT, LIST, UIDL, challenges, the
 * greeting's timestamp. */
#include "spans.h"

#include <pop3/engine.h>

#include "core/values.h"

static pop3_reply reply_of(const char *line)
{
    pop3_reply r;
    assert_true(p3_parse_reply(span(line), &r));
    assert_span(r.line, line);
    return r;
}

static void a_reply_is_what_starts_with_plus_or_minus(void **state)
{
    (void)state;
    static const char *const good[] = {"+OK",  "+ok",   "+Ok fine", "+",
                                       "+ OK", "+OKAY", "+OK\tx",   "+ERRATA"};
    static const char *const bad[] = {"-ERR",    "-err",   "-Err no", "-",      "- ERR",
                                      "-FAIL x", "-ERR\t", "+ERR",    "+err x", "+Err\tx"};
    static const char *const neither[] = {"", "OK", " +OK", "*", "220 ready", "\x80", ".", "\r+OK"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(reply_of(good[i]).ok);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(reply_of(bad[i]).ok);
    pop3_reply r;
    for (size_t i = 0; i < sizeof neither / sizeof neither[0]; i++)
        assert_false(p3_parse_reply(span(neither[i]), &r));
    assert_false(p3_parse_reply(octets(NULL, 0), &r));
    assert_false(p3_parse_reply(octets("\0+OK", 4), &r));
}

static void a_reply_s_text_is_what_follows_the_indicator_and_blanks(void **state)
{
    (void)state;
    assert_span(reply_of("+OK").text, "");
    assert_span(reply_of("+OK ").text, "");
    assert_span(reply_of("+OK fine  thanks").text, "fine  thanks");
    assert_span(reply_of("-ERR \t no such message \t").text, "no such message");
    assert_span(reply_of("-ERR\tno").text, "no");
    assert_span(reply_of("+OK 2 320").text, "2 320");
}

static void response_codes_are_known_in_any_case_of_letters(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        pop3_response_code code;
        const char *code_text;
        const char *text;
    } rows[] = {
        {"-ERR [AUTH] wrong password", POP3_CODE_AUTH, "AUTH", "wrong password"},
        {"-ERR [auth] wrong", POP3_CODE_AUTH, "auth", "wrong"},
        {"-ERR [SYS/TEMP] later", POP3_CODE_SYS_TEMP, "SYS/TEMP", "later"},
        {"-ERR [Sys/Perm] ask", POP3_CODE_SYS_PERM, "Sys/Perm", "ask"},
        {"-ERR [IN-USE] locked", POP3_CODE_IN_USE, "IN-USE", "locked"},
        {"-ERR [LOGIN-DELAY] wait", POP3_CODE_LOGIN_DELAY, "LOGIN-DELAY", "wait"},
        {"-ERR [UTF8] first", POP3_CODE_UTF8, "UTF8", "first"},
        {"-ERR [XYZ/ABC] eh", POP3_CODE_OTHER, "XYZ/ABC", "eh"},
        {"-ERR [SYS] eh", POP3_CODE_OTHER, "SYS", "eh"},
        {"-ERR [AUTH]", POP3_CODE_AUTH, "AUTH", ""},
        {"-ERR [AUTH]glued", POP3_CODE_AUTH, "AUTH", "glued"},
        {"-ERR \t[IN-USE]\tx", POP3_CODE_IN_USE, "IN-USE", "x"},
        {"+OK [UTF8] yes", POP3_CODE_UTF8, "UTF8", "yes"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        pop3_reply r = reply_of(rows[i].line);
        assert_int_equal(r.code, rows[i].code);
        assert_span(r.code_text, rows[i].code_text);
        assert_span(r.text, rows[i].text);
    }
}

static void what_is_no_whole_response_code_is_text(void **state)
{
    (void)state;
    static const char *const texts[] = {"[",       "[]",         "[] x", "[AUTH wrong",
                                        "AUTH] x", "x [AUTH] y", "]",    "[["};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char line[64] = "-ERR ";
        pop3_reply r = reply_of(strcat(line, texts[i]));
        assert_int_equal(r.code, POP3_CODE_NONE);
        assert_int_equal(r.code_text.len, 0);
        assert_span(r.text, texts[i]);
    }
}

static void a_strict_status_is_the_whole_word(void **state)
{
    (void)state;
    static const char *const strict[] = {"+OK",  "-ERR",          "+ok x", "-err\tx",
                                         "+OK ", "-Err [AUTH] x", "+ERR x"};
    static const char *const loose[] = {"",     "+",    "-",   "+OKAY", "-ERRx",
                                        "+ OK", " +OK", "-- ", "OK"};
    for (size_t i = 0; i < sizeof strict / sizeof strict[0]; i++)
        assert_true(pop3_is_status_line(span(strict[i])));
    for (size_t i = 0; i < sizeof loose / sizeof loose[0]; i++)
        assert_false(pop3_is_status_line(span(loose[i])));
    assert_false(pop3_is_status_line(octets(NULL, 0)));
    assert_false(pop3_is_status_line(octets("+OK\0", 4)));
}

static void a_challenge_is_a_plus_alone_and_its_octets(void **state)
{
    (void)state;
    pop3_str c;
    assert_true(p3_parse_challenge(span("+ aGVsbG8="), &c));
    assert_span(c, "aGVsbG8=");
    assert_true(p3_parse_challenge(span("+ \t aGVsbG8=\t "), &c));
    assert_span(c, "aGVsbG8=");
    assert_true(p3_parse_challenge(span("+"), &c));
    assert_span(c, "");
    assert_true(p3_parse_challenge(span("+ "), &c));
    assert_span(c, "");
    static const char *const others[] = {"", "+OK", "+ok x", "-", "-ERR", "+aGVsbG8=", " + x"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(p3_parse_challenge(span(others[i]), &c));
}

static void numbers_reach_up_to_64_bits_and_not_further(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        uint64_t value;
        const char *rest;
    } rows[] = {
        {"0", true, 0, ""},
        {"000120x", true, 120, "x"},
        {"18446744073709551615", true, UINT64_MAX, ""},
        {"18446744073709551616", false, 0, ""},
        {"18446744073709551620", false, 0, ""},
        {"99999999999999999999", false, 0, ""},
        {"184467440737095516150", false, 0, ""},
        {"00000000000000000000000000000000018446744073709551615 ", true, UINT64_MAX, " "},
        {"", false, 0, ""},
        {"-1", false, 0, ""},
        {"+1", false, 0, ""},
        {" 1", false, 0, ""},
        {"x", false, 0, ""},
        {"\xb2", false, 0, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        pop3_str s = span(rows[i].text);
        uint64_t v = 77;
        assert_int_equal(p3_parse_number(&s, &v), rows[i].ok);
        if (rows[i].ok) {
            assert_true(v == rows[i].value);
            assert_span(s, rows[i].rest);
        } else {
            assert_span(s, rows[i].text); /* untouched */
            assert_true(v == 77);
        }
    }
}

static void stat_is_two_numbers_and_whatever_follows(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        uint64_t count, octets;
    } rows[] = {
        {"2 320", true, 2, 320},
        {"0 0", true, 0, 0},
        {"2 320 and more", true, 2, 320},
        {" \t2\t \t320\t", true, 2, 320},
        {"18446744073709551615 18446744073709551615", true, UINT64_MAX, UINT64_MAX},
        {"5000000000 1", true, 5000000000, 1},
        {"18446744073709551616 1", false, 0, 0},
        {"1 18446744073709551616", true, 1, POP3_OCTETS_UNKNOWN},
        {"", false, 0, 0},
        {"2", true, 2, POP3_OCTETS_UNKNOWN},
        {"2 ", true, 2, POP3_OCTETS_UNKNOWN},
        {"2 -1", true, 2, POP3_OCTETS_UNKNOWN},
        {"2 x", true, 2, POP3_OCTETS_UNKNOWN},
        {"2x 320", false, 0, 0},
        {"2 320x", true, 2, POP3_OCTETS_UNKNOWN},
        {"-2 320", false, 0, 0},
        {"two messages", false, 0, 0},
        {"2,320", false, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        pop3_stat st;
        assert_int_equal(p3_parse_stat(span(rows[i].text), &st), rows[i].ok);
        if (rows[i].ok) {
            assert_true(st.count == rows[i].count);
            assert_true(st.octets == rows[i].octets);
        }
    }
    pop3_stat st;
    assert_false(p3_parse_stat(octets(NULL, 0), &st));
}

static void a_list_entry_is_a_message_number_and_a_size(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        uint32_t number;
        uint64_t octets;
    } rows[] = {
        {"1 120", true, 1, 120},
        {"1 0", true, 1, 0},
        {"4294967295 18446744073709551615", true, UINT32_MAX, UINT64_MAX},
        {"\t 7 \t 8 (extra words) ", true, 7, 8},
        {"0 120", false, 0, 0},
        {"4294967296 1", false, 0, 0},
        {"4294967297 1", false, 0, 0},
        {"18446744073709551617 1", false, 0, 0},
        {"1 18446744073709551616", true, 1, POP3_OCTETS_UNKNOWN},
        {"1", true, 1, POP3_OCTETS_UNKNOWN},
        {"1 x", true, 1, POP3_OCTETS_UNKNOWN},
        {"1 -5", true, 1, POP3_OCTETS_UNKNOWN},
        {"x 1", false, 0, 0},
        {"", false, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        pop3_entry e;
        assert_int_equal(p3_parse_list_entry(span(rows[i].text), &e), rows[i].ok);
        if (rows[i].ok) {
            assert_int_equal(e.number, rows[i].number);
            assert_true(e.octets == rows[i].octets);
            assert_int_equal(e.uid.len, 0);
        }
    }
}

static void a_unique_id_is_all_that_follows_the_number(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t number; /* 0: not an entry */
        const char *uid;
    } rows[] = {
        {"1 whqtswO00WBw418f9t5JxYwZ", 1, "whqtswO00WBw418f9t5JxYwZ"},
        {"2 with blanks  inside", 2, "with blanks  inside"},
        {"3 \t trimmed \t ", 3, "trimmed"},
        {"4294967295 x", UINT32_MAX, "x"},
        {"5 \xc3\xa9\x80", 5, "\xc3\xa9\x80"},
        {"4294967296 x", 0, ""},
        {"0 x", 0, ""},
        {"1", 1, ""},
        {"1  ", 1, ""},
        {"1x", 0, ""},
        {"uid", 0, ""},
        {"", 0, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        pop3_entry e;
        assert_int_equal(p3_parse_uidl_entry(span(rows[i].text), &e), rows[i].number > 0);
        if (rows[i].number > 0) {
            assert_int_equal(e.number, rows[i].number);
            assert_span(e.uid, rows[i].uid);
            assert_true(e.octets == 0);
        }
    }
}

static void a_reply_about_one_message_need_not_name_it(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok; /* as the reply to UIDL 3 */
        const char *uid;
    } rows[] = {
        {"3 abc", true, "abc"},          {"abc", true, "abc"}, /* Twisted */
        {"12345 ", true, "12345"},       {"3", true, ""},      {"", true, ""},
        {"no unique-id here", true, ""}, {"2 abc", false, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        pop3_entry e;
        assert_int_equal(p3_parse_uidl_reply(span(rows[i].text), 3, &e), rows[i].ok);
        if (rows[i].ok) {
            assert_int_equal(e.number, 3);
            assert_span(e.uid, rows[i].uid);
        }
    }
    pop3_entry e;
    assert_true(p3_parse_list_reply(span("3 120"), 3, &e));
    assert_true(e.number == 3 && e.octets == 120);
    assert_true(p3_parse_list_reply(span("unknown"), 3, &e));
    assert_true(e.number == 3 && e.octets == POP3_OCTETS_UNKNOWN);
    assert_false(p3_parse_list_reply(span("4 120"), 3, &e));
}

/* RFC 1939 §7 allows 70 octets; real ones are longer at times, and nothing here needs the bound. */
static void a_unique_id_may_be_longer_than_70_octets(void **state)
{
    (void)state;
    char text[1002] = "1 ";
    memset(text + 2, 'u', 999);
    pop3_entry e;
    assert_true(p3_parse_uidl_entry(span(text), &e));
    assert_int_equal(e.uid.len, 999);
    assert_ptr_equal(e.uid.data, text + 2);
}

static void the_timestamp_is_the_last_msg_id_in_the_greeting(void **state)
{
    (void)state;
    static const struct {
        const char *greeting;
        const char *timestamp;
    } rows[] = {
        {"+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>",
         "<1896.697170952@dbc.mtview.ca.us>"},
        {"+OK <a@b> <c@d> bye", "<c@d>"},
        {"+OK <a@b> <none>", "<a@b>"},
        {"+OK <<a@b>", "<a@b>"},
        {"+OK <a@b>>", "<a@b>"},
        {"+OK<@>", "<@>"},
        {"+OK <a b@c>", ""},
        {"+OK <a\tb@c>", ""},
        {"+OK <ab>", ""},
        {"+OK a@b>", ""},
        {"+OK <a@b", ""},
        {"+OK <>", ""},
        {"+OK @<>", ""},
        {"+OK", ""},
        {"<", ""},
        {">", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_span(p3_find_timestamp(span(rows[i].greeting)), rows[i].timestamp);
    assert_span(p3_find_timestamp(octets(NULL, 0)), "");
}

static void a_timestamp_is_printable_ascii(void **state)
{
    (void)state;
    assert_span(p3_find_timestamp(span("+OK <a@\x80>")), "");
    assert_span(p3_find_timestamp(span("+OK <\xff@b>")), "");
    assert_span(p3_find_timestamp(span("+OK <a\x1b@b>")), "");
    assert_span(p3_find_timestamp(span("+OK <a@b\x7f>")), "");
    assert_span(p3_find_timestamp(octets("+OK <a@\0>", 9)), "");
    assert_span(p3_find_timestamp(span("+OK <!~@b> <\x80@c>")), "<!~@b>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_is_what_starts_with_plus_or_minus),
        cmocka_unit_test(a_reply_s_text_is_what_follows_the_indicator_and_blanks),
        cmocka_unit_test(response_codes_are_known_in_any_case_of_letters),
        cmocka_unit_test(what_is_no_whole_response_code_is_text),
        cmocka_unit_test(a_strict_status_is_the_whole_word),
        cmocka_unit_test(a_challenge_is_a_plus_alone_and_its_octets),
        cmocka_unit_test(numbers_reach_up_to_64_bits_and_not_further),
        cmocka_unit_test(stat_is_two_numbers_and_whatever_follows),
        cmocka_unit_test(a_list_entry_is_a_message_number_and_a_size),
        cmocka_unit_test(a_unique_id_is_all_that_follows_the_number),
        cmocka_unit_test(a_reply_about_one_message_need_not_name_it),
        cmocka_unit_test(a_unique_id_may_be_longer_than_70_octets),
        cmocka_unit_test(the_timestamp_is_the_last_msg_id_in_the_greeting),
        cmocka_unit_test(a_timestamp_is_printable_ascii),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
