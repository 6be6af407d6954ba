/* Octet and text helpers: spans, case, UTF-8, the text builder, and the public names. */
#include "spans.h"

#include "core/text.h"

#include <stdio.h>

static void blanks_are_trimmed_at_the_ends_only(void **state)
{
    (void)state;
    assert_span(p3_trim_left(span(" \t a b \t")), "a b \t");
    assert_span(p3_trim_right(span(" \t a b \t")), " \t a b");
    assert_span(p3_trim_left(span(" \t ")), "");
    assert_span(p3_trim_right(span(" \t ")), "");
    assert_span(p3_trim_left(octets(NULL, 0)), "");
    assert_span(p3_trim_right(octets(NULL, 0)), "");
    assert_span(p3_trim_right(span("a\r")), "a\r");
}

static void a_word_ends_at_a_blank_and_leaves_what_follows(void **state)
{
    (void)state;
    pop3_str s = span("one \t two three");
    assert_span(p3_parse_word(&s), "one");
    assert_span(s, "two three");
    assert_span(p3_parse_word(&s), "two");
    assert_span(p3_parse_word(&s), "three");
    assert_span(s, "");
    assert_span(p3_parse_word(&s), "");
    pop3_str none = octets(NULL, 0);
    assert_span(p3_parse_word(&none), "");
    assert_span(none, "");
}

static void only_ascii_letters_lose_their_case(void **state)
{
    (void)state;
    assert_true(p3_equals_nocase(span("uTf8 user"), "UTF8 USER"));
    assert_false(p3_equals_nocase(span("abc"), "ab"));
    assert_false(p3_equals_nocase(span("ab"), "abc"));
    assert_true(p3_equals_nocase(octets(NULL, 0), ""));
    assert_false(p3_equals_nocase(span("@["), "`{")); /* 0x20 apart, but no letters */
    assert_false(p3_equals_nocase(span("\xc4"), "\xe4"));
    assert_false(p3_equal_nocase(octets("a\0b", 3), octets("a\0c", 3)));
    assert_true(p3_equal_nocase(octets("a\0b", 3), octets("A\0B", 3)));
    for (int i = 0; i < 256; i++) {
        bool letter = i >= 'a' && i <= 'z';
        assert_int_equal(p3_upper((char)i), letter ? (char)(i - 32) : (char)i);
    }
}

static void well_formed_utf8_is_taken(void **state)
{
    (void)state;
    static const char *const good[] = {
        "",
        "plain",
        "\x7f",
        "\xc2\x80",         /* U+0080 */
        "\xdf\xbf",         /* U+07FF */
        "\xe0\xa0\x80",     /* U+0800 */
        "\xed\x9f\xbf",     /* U+D7FF, before the surrogates */
        "\xee\x80\x80",     /* U+E000, behind them */
        "\xef\xbf\xbf",     /* U+FFFF */
        "\xf0\x90\x80\x80", /* U+10000 */
        "\xf3\xbf\xbf\xbf",
        "\xf4\x8f\xbf\xbf", /* U+10FFFF */
        "p\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xac!",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(p3_is_utf8(span(good[i])));
    assert_true(p3_is_utf8(octets(NULL, 0)));
    assert_true(p3_is_utf8(octets("\0", 1)));
}

static void malformed_utf8_is_not_taken(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80", /* a continuation alone */
        "\xbf",
        "\xc0\x80", /* over-long NUL */
        "\xc1\xbf", /* over-long */
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xed\xa0\x80", /* surrogates */
        "\xed\xbf\xbf",
        "\xf4\x90\x80\x80", /* beyond U+10FFFF */
        "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80\x80",
        "\xfe",
        "\xff",
        "\xc3", /* cut short */
        "\xe2\x82",
        "\xf0\x9f\x93",
        "\xc3(", /* broken off */
        "\xe2(\xac",
        "\xe2\x82(",
        "\xf0\x9f\x93(",
        "\xc3\xc3\xa9",
        "p\xe9ter", /* Latin-1 */
        "ok\xc3\xa9\x80",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (p3_is_utf8(span(bad[i])))
            fail_msg("row %zu was taken", i);
    }
}

/* Against a decoder that was written the other way round: decode, then look at the value. */
static bool decodes(const unsigned char *p, size_t n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t i = 0;
    while (i < n) {
        size_t len = p[i] < 0x80       ? 1
                     : p[i] >> 5 == 6  ? 2
                     : p[i] >> 4 == 14 ? 3
                     : p[i] >> 3 == 30 ? 4
                                       : 0;
        if (len == 0 || n - i < len)
            return false;
        uint32_t value = len == 1 ? p[i] : p[i] & (0xFFu >> (len + 1));
        for (size_t k = 1; k < len; k++) {
            if (p[i + k] >> 6 != 2)
                return false;
            value = value << 6 | (p[i + k] & 0x3F);
        }
        if (value < least[len] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
            return false;
        i += len;
    }
    return true;
}

static void every_sequence_of_three_octets_is_judged_as_a_decoder_does(void **state)
{
    (void)state;
    for (uint32_t v = 0; v < 1u << 24; v++) {
        unsigned char p[3] = {(unsigned char)(v >> 16), (unsigned char)(v >> 8), (unsigned char)v};
        if (p[0] < 0x80 && p[1] < 0x80) {
            v |= 0xFF; /* nothing to learn from ASCII */
            continue;
        }
        if (p3_is_utf8(octets((const char *)p, 3)) != decodes(p, 3))
            fail_msg("%02x %02x %02x", p[0], p[1], p[2]);
    }
}

static void every_start_of_a_four_octet_sequence_is_judged_as_a_decoder_does(void **state)
{
    (void)state;
    static const unsigned char last[] = {0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff};
    for (uint32_t v = 0xF00000; v < 1u << 24; v++) {
        unsigned char p[4] = {(unsigned char)(v >> 16), (unsigned char)(v >> 8), (unsigned char)v,
                              0};
        for (size_t i = 0; i < sizeof last; i++) {
            p[3] = last[i];
            if (p3_is_utf8(octets((const char *)p, 4)) != decodes(p, 4))
                fail_msg("%02x %02x %02x %02x", p[0], p[1], p[2], p[3]);
        }
    }
}

static void built_text_is_cut_at_the_buffer_s_end_and_always_terminated(void **state)
{
    (void)state;
    char buffer[16];
    for (size_t size = 1; size <= 12; size++) {
        memset(buffer, '#', sizeof buffer);
        p3_text t = p3_text_begin(buffer, size);
        assert_string_equal(buffer, "");
        p3_text_add(&t, "abc");
        p3_text_add(&t, "4711");
        p3_text_add(&t, "");
        p3_text_add(&t, "xyz");
        assert_int_equal(strlen(buffer), size - 1 < 10 ? size - 1 : 10);
        assert_memory_equal(buffer, "abc4711xyz", strlen(buffer));
        assert_int_equal(buffer[size], '#');
    }
}

static const char *printable(pop3_str s, size_t most)
{
    static char buffer[2000];
    p3_text t = p3_text_begin(buffer, sizeof buffer);
    p3_text_add_printable(&t, s, most);
    return buffer;
}

static void octets_are_shown_printable(void **state)
{
    (void)state;
    assert_string_equal(printable(span("-ERR no ~!"), 60), "-ERR no ~!");
    assert_string_equal(printable(span("a\r\n\t\x1b[31m\x7f"), 60),
                        "a\\x0d\\x0a\\x09\\x1b[31m\\x7f");
    assert_string_equal(printable(span("\\x41"), 60), "\\x5cx41");
    assert_string_equal(printable(octets("\0\xff\x80", 3), 60), "\\x00\\xff\\x80");
    assert_string_equal(printable(octets(NULL, 0), 60), "");
    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        const char *shown = printable(octets(&c, 1), 60);
        for (const char *p = shown; *p != '\0'; p++)
            assert_in_range(*p, 0x20, 0x7E);
    }
}

static void a_long_excerpt_is_cut_and_says_so(void **state)
{
    (void)state;
    assert_string_equal(printable(span("12345"), 5), "12345");
    assert_string_equal(printable(span("123456"), 5), "12345...");
    assert_string_equal(printable(span("\n\n\n"), 2), "\\x0a\\x0a...");
    assert_string_equal(printable(span("x"), 0), "...");
}

static void an_excerpt_that_fills_the_buffer_is_cut(void **state)
{
    (void)state;
    char buffer[8];
    p3_text t = p3_text_begin(buffer, sizeof buffer);
    p3_text_add_printable(&t, span("ab\ncd\nef"), 60);
    assert_string_equal(buffer, "ab\\x0ac");
}

static void numbers_are_written_in_decimal(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        const char *text;
    } rows[] = {
        {0, "0"},
        {9, "9"},
        {10, "10"},
        {4294967295, "4294967295"},
        {UINT64_MAX, "18446744073709551615"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char digits[20];
        size_t n = p3_put_number(digits, rows[i].value);
        assert_span(octets(digits, n), rows[i].text);
    }
}

static void every_status_has_a_name_of_its_own_and_a_sentence(void **state)
{
    (void)state;
    for (int a = POP3_OK; a <= POP3_ERR_AUTHENTICATION; a++) {
        const char *name = pop3_status_name((pop3_status)a);
        assert_non_null(name);
        assert_string_not_equal(name, "unknown");
        assert_true(strlen(pop3_status_message((pop3_status)a)) > 5 || a == POP3_OK);
        for (int b = POP3_OK; b < a; b++)
            assert_string_not_equal(name, pop3_status_name((pop3_status)b));
    }
    assert_string_equal(pop3_status_name((pop3_status)(POP3_ERR_AUTHENTICATION + 1)), "unknown");
    assert_string_equal(pop3_status_name((pop3_status)-1), "unknown");
    assert_string_equal(pop3_status_message((pop3_status)1000), "unknown status");
}

static void every_command_has_a_keyword(void **state)
{
    (void)state;
    for (int k = POP3_CMD_NONE; k <= POP3_CMD_RAW_LIST; k++) {
        assert_non_null(pop3_command_name((pop3_command_kind)k));
        assert_string_not_equal(pop3_command_name((pop3_command_kind)k), "unknown");
    }
    assert_string_equal(pop3_command_name(POP3_CMD_NONE), "greeting");
    assert_string_equal(pop3_command_name(POP3_CMD_LANG_LIST), "LANG");
    assert_string_equal(pop3_command_name((pop3_command_kind)(POP3_CMD_RAW_LIST + 1)), "unknown");
    assert_string_equal(pop3_command_name((pop3_command_kind)-1), "unknown");
}

static size_t echo(const char *text, const char *secret, bool is_password)
{
    return p3_find_echo(p3_span(text, strlen(text)), p3_span(secret, strlen(secret)), is_password);
}

static void a_repeated_secret_is_found_and_a_word_of_the_servers_is_not(void **state)
{
    (void)state;
    assert_int_equal(echo("-ERR unknown command: pass hunter", "hunter", true), 27);
    assert_int_equal(echo("-ERR \"hunter2\"?", "hunter2", true), 6);
    assert_int_equal(echo("-ERR AHRpbQB0YW5zdGFhZg", "AHRpbQB0YW5zdGFhZg==", false), 5);
    assert_int_equal(echo("-ERR xAHRpbQB0YW5zdGFh...", "AHRpbQB0YW5zdGFhZg==", false), 6);
    assert_int_equal(echo("-ERR dGlt", "dGlt", false), 5);
    assert_int_equal(echo("hunter2", "hunter2", true), 0);
    assert_int_equal(echo("-ERR invalid password", "password", true), SIZE_MAX);
    assert_int_equal(echo("-ERR 12 messages", "1", true), SIZE_MAX);
    assert_int_equal(echo("-ERR", "", true), SIZE_MAX);
    assert_int_equal(echo("", "hunter2", true), SIZE_MAX);
}

static void a_secret_that_is_repeated_in_part_is_found(void **state)
{
    static const char password[] = "correct-horse-battery-staple";
    static const char base64[] = "AHRpbQB0YW5zdGFhZg==";
    char text[64];
    (void)state;
    for (size_t n = 1; n <= strlen(password); n++) {
        snprintf(text, sizeof text, "-ERR what is \"PASS %.*s\"?", (int)n, password);
        assert_int_equal(echo(text, password, true), n < 4 ? SIZE_MAX : 19);
    }
    for (size_t n = 9; n <= strlen(base64); n++) { /* shorter ones are of the user's name */
        snprintf(text, sizeof text, "-ERR AUTH PLAIN %.*s...", (int)n, base64);
        assert_int_equal(echo(text, base64, false), 16);
    }
    assert_int_equal(echo("-ERR hunter2!", "hunter2!Moon", true), 5);
    assert_int_equal(echo("-ERR xhunter2!M", "hunter2!Moon", true), 6);
    assert_int_equal(echo("-ERR invalid password", "password1", true), SIZE_MAX);
    assert_int_equal(echo("-ERR the year 2026", "2026-11-28", true), 14);
    assert_int_equal(echo("-ERR 202 messages", "2026-11-28", true), SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_are_trimmed_at_the_ends_only),
        cmocka_unit_test(a_word_ends_at_a_blank_and_leaves_what_follows),
        cmocka_unit_test(only_ascii_letters_lose_their_case),
        cmocka_unit_test(well_formed_utf8_is_taken),
        cmocka_unit_test(malformed_utf8_is_not_taken),
        cmocka_unit_test(every_sequence_of_three_octets_is_judged_as_a_decoder_does),
        cmocka_unit_test(every_start_of_a_four_octet_sequence_is_judged_as_a_decoder_does),
        cmocka_unit_test(built_text_is_cut_at_the_buffer_s_end_and_always_terminated),
        cmocka_unit_test(octets_are_shown_printable),
        cmocka_unit_test(a_long_excerpt_is_cut_and_says_so),
        cmocka_unit_test(an_excerpt_that_fills_the_buffer_is_cut),
        cmocka_unit_test(numbers_are_written_in_decimal),
        cmocka_unit_test(every_status_has_a_name_of_its_own_and_a_sentence),
        cmocka_unit_test(every_command_has_a_keyword),
        cmocka_unit_test(a_repeated_secret_is_found_and_a_word_of_the_servers_is_not),
        cmocka_unit_test(a_secret_that_is_repeated_in_part_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
