/* Lines: found in place where they lie whole in the input, gathered where they were cut, bounded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/line.h"

static void expect_span(pop3_str s, const char *text)
{
    assert_int_equal(s.len, strlen(text));
    assert_memory_equal(s.data, text, s.len);
}

/* Feeds the text octet by octet up to its last one, which has to complete the line. */
static void take_cut(p3_line *l, const char *text, pop3_str *line, p3_line_end *how)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        char one = text[i];
        const char *p = &one;
        p3_line_result r = p3_line_take(l, &p, &one + 1, line, how);
        assert_int_equal(r, i + 1 < len ? P3_LINE_MORE : P3_LINE_READY);
        assert_ptr_equal(p, &one + 1);
    }
}

/* Both ways to find one line. */
static void check(const char *text, const char *line, bool crlf, bool leading_cr)
{
    p3_line l;
    assert_true(p3_line_init(&l, 64));
    const char *p = text;
    pop3_str got;
    p3_line_end how;
    assert_int_equal(p3_line_take(&l, &p, text + strlen(text), &got, &how), P3_LINE_READY);
    expect_span(got, line);
    assert_true(got.len == 0 || (got.data >= text && got.data < p)); /* in place */
    assert_int_equal(how.crlf, crlf);
    assert_int_equal(how.leading_cr, leading_cr);
    take_cut(&l, text, &got, &how);
    expect_span(got, line);
    assert_int_equal(how.crlf, crlf);
    assert_int_equal(how.leading_cr, leading_cr);
    assert_int_equal(l.len, 0);
    p3_line_free(&l);
}

static void a_line_ends_with_crlf_or_lf(void **state)
{
    (void)state;
    check("+OK\r\n", "+OK", true, false);
    check("+OK\n", "+OK", false, false);
    check("\r\n", "", true, false);
    check("\n", "", false, false);
}

static void a_cr_left_over_from_lf_cr_is_taken_off_the_start(void **state)
{
    (void)state;
    check("\r+OK\n", "+OK", false, true);
    check("\r\r\n", "\r", true, false);
    check("\r.\n", ".", false, true);
}

static void a_cr_inside_a_line_stays(void **state)
{
    (void)state;
    check("a\rb\r\n", "a\rb", true, false);
    check("a\rb\n", "a\rb", false, false);
    check("a\r\r\n", "a\r", true, false);
}

static void lines_follow_each_other_and_the_rest_waits(void **state)
{
    (void)state;
    p3_line l;
    assert_true(p3_line_init(&l, 64));
    static const char data[] = "one\r\ntwo\nthr";
    const char *p = data;
    const char *end = data + sizeof data - 1;
    pop3_str line;
    p3_line_end how;
    assert_int_equal(p3_line_take(&l, &p, end, &line, &how), P3_LINE_READY);
    expect_span(line, "one");
    assert_int_equal(p3_line_take(&l, &p, end, &line, &how), P3_LINE_READY);
    expect_span(line, "two");
    assert_int_equal(p3_line_take(&l, &p, end, &line, &how), P3_LINE_MORE);
    assert_ptr_equal(p, end);
    assert_int_equal(p3_line_take(&l, &p, end, &line, &how), P3_LINE_MORE);
    static const char rest[] = "ee\r\nfour\r\n";
    p = rest;
    end = rest + sizeof rest - 1;
    assert_int_equal(p3_line_take(&l, &p, end, &line, &how), P3_LINE_READY);
    expect_span(line, "three");
    assert_int_equal(p3_line_take(&l, &p, end, &line, &how), P3_LINE_READY);
    expect_span(line, "four");
    p3_line_free(&l);
}

/* The limit counts the line's end, and is the same for any split. */
static void a_line_may_be_as_long_as_the_limit_and_no_longer(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 20; len++) {
        for (size_t cut = 0; cut <= len; cut++) {
            char data[21];
            memset(data, 'x', sizeof data);
            data[len - 1] = '\n';
            p3_line l;
            assert_true(p3_line_init(&l, 16));
            const char *p = data;
            pop3_str line;
            p3_line_end how;
            p3_line_result r = p3_line_take(&l, &p, data + cut, &line, &how);
            if (r == P3_LINE_MORE)
                r = p3_line_take(&l, &p, data + len, &line, &how);
            assert_int_equal(r, len <= 16 ? P3_LINE_READY : P3_LINE_TOO_LONG);
            if (r == P3_LINE_READY)
                assert_int_equal(line.len, len - 1);
            p3_line_free(&l);
        }
    }
}

static void octets_without_an_end_are_too_long_once_the_limit_is_reached(void **state)
{
    (void)state;
    p3_line l;
    assert_true(p3_line_init(&l, 16));
    pop3_str line;
    p3_line_end how;
    for (int i = 0; i < 15; i++) {
        const char *p = "x";
        assert_int_equal(p3_line_take(&l, &p, p + 1, &line, &how), P3_LINE_MORE);
    }
    const char *p = "x";
    assert_int_equal(p3_line_take(&l, &p, p + 1, &line, &how), P3_LINE_TOO_LONG);
    p3_line_free(&l);
}

static void a_nul_is_an_octet_like_any_other(void **state)
{
    (void)state;
    p3_line l;
    assert_true(p3_line_init(&l, 16));
    static const char data[] = "a\0b\r\n";
    const char *p = data;
    pop3_str line;
    p3_line_end how;
    assert_int_equal(p3_line_take(&l, &p, data + 5, &line, &how), P3_LINE_READY);
    assert_int_equal(line.len, 3);
    assert_memory_equal(line.data, "a\0b", 3);
    p3_line_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_ends_with_crlf_or_lf),
        cmocka_unit_test(a_cr_left_over_from_lf_cr_is_taken_off_the_start),
        cmocka_unit_test(a_cr_inside_a_line_stays),
        cmocka_unit_test(lines_follow_each_other_and_the_rest_waits),
        cmocka_unit_test(a_line_may_be_as_long_as_the_limit_and_no_longer),
        cmocka_unit_test(octets_without_an_end_are_too_long_once_the_limit_is_reached),
        cmocka_unit_test(a_nul_is_an_octet_like_any_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
