/* Splitting: a listing or message cut into lines, whatever the ends of lines, the cuts of the input
 * and the room for results. */
#include "spans.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/split.h"

/* Writes "[line][line]" and how it ended: "." for the dot, "!" for too long a line, "" for no more.
 * The input comes in pieces of `piece` octets, results in batches of `room`. */
static void split_in(const char *text, size_t piece, size_t room, size_t longest, char *out,
                     uint64_t *octets)
{
    pop3_str lines[16];
    p3_split s = {.lines = lines, .cap = room, .longest = longest};
    const char *p = text;
    const char *fed = text;
    const char *end = text + strlen(text);
    for (;;) {
        p3_split_result r = p3_split_take(&s, &p, fed);
        assert_true(s.count <= room);
        for (size_t i = 0; i < s.count; i++)
            out += sprintf(out, "[%.*s]", (int)lines[i].len, lines[i].data);
        if (r == P3_SPLIT_FULL)
            continue;
        if (r == P3_SPLIT_MORE && fed < end) {
            fed = (size_t)(end - fed) < piece ? end : fed + piece;
            continue;
        }
        sprintf(out, "%s", r == P3_SPLIT_END ? "." : r == P3_SPLIT_TOO_LONG ? "!" : "");
        break;
    }
    *octets = s.octets;
}

/* All cuts and rooms give the same lines. */
static void check(const char *text, size_t longest, const char *expected, uint64_t octets)
{
    size_t len = strlen(text);
    for (size_t piece = 1; piece <= len + 1; piece++) {
        for (size_t room = 1; room <= 16; room++) {
            char out[256];
            uint64_t counted;
            split_in(text, piece, room, longest, out, &counted);
            assert_string_equal(out, expected);
            assert_int_equal(counted, octets);
        }
    }
}

static void lines_end_with_crlf_lf_or_lf_cr(void **state)
{
    (void)state;
    check("a\r\nb\nc\r\n.\r\n", 100, "[a][b][c].", 8);
    check("a\n\rb\n\r.\n", 100, "[a][b].", 5);
    check("\r\n\n.\n", 100, "[][].", 3);
    check("a\rb\r\r\n.\r\n", 100, "[a\rb\r].", 6);
}

static void a_stuffed_dot_is_taken_off_and_not_counted(void **state)
{
    (void)state;
    check("..\r\n..x\n...\r\n.\r\n", 100, "[.][.x][..].", 3 + 3 + 4);
    check("\r..x\n.\n", 100, "[.x].", 4);
}

static void a_dot_that_was_not_stuffed_stays(void **state)
{
    (void)state;
    check(".x\r\n. \r\n.\r\n", 100, "[.x][. ].", 8);
}

static void what_is_not_whole_stays_where_it_is(void **state)
{
    (void)state;
    check("a\r\nhalf", 100, "[a]", 3);
    check(".", 100, "", 0);
    check(".\r", 100, "", 0);
    check("", 100, "", 0);
}

static void what_follows_the_dot_is_left_alone(void **state)
{
    (void)state;
    pop3_str lines[4];
    p3_split s = {.lines = lines, .cap = 4, .longest = 100};
    const char *text = "a\r\n.\r\n+OK\r\n";
    const char *p = text;
    assert_int_equal(p3_split_take(&s, &p, text + strlen(text)), P3_SPLIT_END);
    assert_string_equal(p, "+OK\r\n");
    assert_int_equal(s.count, 1);
    assert_span(lines[0], "a");
}

static void a_line_may_have_as_many_octets_as_the_bound_and_no_more(void **state)
{
    (void)state;
    check("abcde\r\n.\r\n", 7, "[abcde].", 7);
    check("abcde\r\n.\r\n", 6, "!", 0);
    check("a\nabcdefg\n.\n", 7, "[a]!", 2);
    check("a\nabcdefg", 7, "[a]", 2);
    check("a\nabcdefgh", 7, "[a]!", 2);
    check(".\r\n", 3, ".", 0);
    check(".\r\n", 2, "!", 0);
}

static void a_line_that_is_too_long_is_pointed_at(void **state)
{
    (void)state;
    pop3_str lines[4];
    p3_split s = {.lines = lines, .cap = 4, .longest = 3};
    const char *text = "ab\nabcd\n";
    const char *p = text;
    assert_int_equal(p3_split_take(&s, &p, text + strlen(text)), P3_SPLIT_TOO_LONG);
    assert_ptr_equal(p, text + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_with_crlf_lf_or_lf_cr),
        cmocka_unit_test(a_stuffed_dot_is_taken_off_and_not_counted),
        cmocka_unit_test(a_dot_that_was_not_stuffed_stays),
        cmocka_unit_test(what_is_not_whole_stays_where_it_is),
        cmocka_unit_test(what_follows_the_dot_is_left_alone),
        cmocka_unit_test(a_line_may_have_as_many_octets_as_the_bound_and_no_more),
        cmocka_unit_test(a_line_that_is_too_long_is_pointed_at),
    };
    return cmocka_run_group_tests_name("split", tests, NULL, NULL);
}
