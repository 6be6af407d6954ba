/* The body of a message: stuffed dots, the end, and where chunks may point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/body.h"

/* What came of a body: its octets, whether it ended, and how many octets of the input it took. */
typedef struct outcome {
    char octets[512];
    size_t len;
    bool ended;
    bool with_crlf;
    size_t taken;
} outcome;

/* Feeds data in pieces of at most `piece` octets. */
static outcome take(const char *data, size_t len, size_t piece, bool crlf, bool lf_cr)
{
    outcome out = {0};
    p3_body b;
    p3_body_begin(&b, crlf, lf_cr);
    for (size_t start = 0; start < len && !out.ended; start += piece) {
        size_t n = len - start < piece ? len - start : piece;
        const char *p = data + start;
        const char *end = p + n;
        while (p < end && !out.ended) {
            pop3_str chunk;
            out.ended = p3_body_take(&b, &p, end, &chunk);
            assert_true(!out.ended || chunk.len == 0);
            assert_true(out.len + chunk.len <= sizeof out.octets);
            if (chunk.len > 0)
                memcpy(out.octets + out.len, chunk.data, chunk.len);
            out.len += chunk.len;
        }
        out.taken = (size_t)(p - data);
    }
    out.with_crlf = out.ended && p3_body_ended_with_crlf(&b);
    return out;
}

/* Checks the octets of the message for every size of piece; the end has to be at the end of data.
 */
static outcome check(const char *data, bool crlf, bool lf_cr, const char *octets)
{
    size_t len = strlen(data);
    outcome whole = take(data, len, len, crlf, lf_cr);
    for (size_t piece = 1; piece <= len; piece++) {
        outcome o = take(data, len, piece, crlf, lf_cr);
        assert_true(o.ended);
        assert_int_equal(o.taken, len);
        assert_int_equal(o.len, strlen(octets));
        assert_memory_equal(o.octets, octets, o.len);
        assert_int_equal(o.with_crlf, whole.with_crlf);
    }
    return whole;
}

static void a_lone_dot_ends_a_message(void **state)
{
    (void)state;
    outcome o = check("Hi\r\n\r\nthere\r\n.\r\n", true, false, "Hi\r\n\r\nthere\r\n");
    assert_true(o.with_crlf);
}

static void an_empty_message_is_only_its_end(void **state)
{
    (void)state;
    assert_true(check(".\r\n", true, false, "").with_crlf);
    assert_false(check(".\n", false, false, "").with_crlf);
}

static void of_two_dots_the_first_is_dropped(void **state)
{
    (void)state;
    check("..\r\n.\r\n", true, false, ".\r\n");
    check("...\r\n.\r\n", true, false, "..\r\n");
    check("..x\r\n..\r\n....\r\n.\r\n", true, false, ".x\r\n.\r\n...\r\n");
    check("..\n..\n.\n", false, false, ".\n.\n");
}

/* Servers forget to stuff a dot, most often the very first octet; dropping it would lose an octet.
 */
static void one_dot_that_is_not_the_end_is_left_as_it_is(void **state)
{
    (void)state;
    check(".first\r\n.\r\n", true, false, ".first\r\n");
    check("a\r\n. \r\n.x\r\n.\r\n", true, false, "a\r\n. \r\n.x\r\n");
}

static void a_dot_and_a_cr_without_lf_are_octets_of_the_message(void **state)
{
    (void)state;
    check(".\rx\r\n.\r\n", true, false, ".\rx\r\n");
    check(".\r\r\n.\r\n", true, false, ".\r\r\n");
    check(".\r.\r\n.\r\n", true, false, ".\r.\r\n");
    check(".\r..\n.\r\n", true, false, ".\r..\n");
}

static void dots_inside_lines_mean_nothing(void **state)
{
    (void)state;
    check("a.b\r\nc..\r\n ..d\r\n\r..e\r\n.\r\n", true, false, "a.b\r\nc..\r\n ..d\r\n\r..e\r\n");
}

static void the_end_is_as_doubtful_as_the_lines_around_it(void **state)
{
    (void)state;
    assert_true(check("a\r\n.\r\n", true, false, "a\r\n").with_crlf);
    assert_false(check("a\n.\r\n", true, false, "a\n").with_crlf);
    assert_false(check("a\r\n.\n", true, false, "a\r\n").with_crlf);
    assert_false(check("a\n.\n", true, false, "a\n").with_crlf);
    assert_true(check("a\n\r\n.\r\n", true, false, "a\n\r\n").with_crlf);
    assert_true(check("..\r\n.\r\n", true, false, ".\r\n").with_crlf);
    assert_false(check("..\n.\r\n", true, false, ".\n").with_crlf);
    assert_true(check(".\r\r\n.\r\n", true, false, ".\r\r\n").with_crlf);
}

static void nothing_behind_the_end_is_taken(void **state)
{
    (void)state;
    static const char data[] = "a\r\n.\r\n+OK next\r\n";
    outcome o = take(data, sizeof data - 1, sizeof data - 1, true, false);
    assert_true(o.ended);
    assert_int_equal(o.taken, 6);
    assert_int_equal(o.len, 3);
}

static void a_message_without_its_end_does_not_end(void **state)
{
    (void)state;
    static const char *const bodies[] = {"a", "a\r\n", "a\r\n.", "a\r\n.\r", "a\r\n..\r\n", "."};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        for (size_t piece = 1; piece <= strlen(bodies[i]); piece++)
            assert_false(take(bodies[i], strlen(bodies[i]), piece, true, false).ended);
    }
}

static void eight_bit_octets_and_nul_pass_unchanged(void **state)
{
    (void)state;
    static const char data[] = "\xff\0\x80\n\0.\n..\0\r\n.\r\n";
    static const char octets[] = "\xff\0\x80\n\0.\n.\0\r\n";
    for (size_t piece = 1; piece < sizeof data; piece++) {
        outcome o = take(data, sizeof data - 1, piece, true, false);
        assert_true(o.ended);
        assert_int_equal(o.len, sizeof octets - 1);
        assert_memory_equal(o.octets, octets, o.len);
    }
}

static void every_octet_value_passes_unchanged(void **state)
{
    (void)state;
    char data[256 + 5];
    for (int i = 0; i < 256; i++)
        data[i] = (char)i;
    memcpy(data + 256, "\r\n.\r\n", 5);
    for (size_t piece = 1; piece <= sizeof data; piece++) {
        outcome o = take(data, sizeof data, piece, true, false);
        assert_true(o.ended);
        assert_int_equal(o.len, 258);
        assert_memory_equal(o.octets, data, 258);
    }
}

/* Whole lines without dots come in one chunk: the cost is that of the search. */
static void a_run_without_leading_dots_is_one_chunk_in_the_input(void **state)
{
    (void)state;
    static const char data[] = "one\r\ntwo . three\r\n\r\nfour\r\n..five\r\n.\r\n";
    p3_body b;
    p3_body_begin(&b, true, false);
    const char *p = data;
    const char *end = data + sizeof data - 1;
    pop3_str chunk;
    assert_false(p3_body_take(&b, &p, end, &chunk));
    assert_ptr_equal(chunk.data, data);
    assert_int_equal(chunk.len, 26);
    assert_false(p3_body_take(&b, &p, end, &chunk));
    assert_ptr_equal(chunk.data, data + 27);
    assert_int_equal(chunk.len, 7);
    assert_true(p3_body_take(&b, &p, end, &chunk));
    assert_ptr_equal(p, end);
}

/* With LF CR the CR behind the status line's LF is none of the message's; those of its lines are.
 */
static void lines_may_end_with_lf_cr(void **state)
{
    (void)state;
    check("\ra\n\rb\n\r.\n", false, true, "a\n\rb\n\r");
    check("\r.\n", false, true, "");
    check("\r..\n\r...x\n\r.y\n\r\n\r.\n", false, true, ".\n\r..x\n\r.y\n\r\n\r");
    check("\r\n\r.\n", false, true, "\n\r");
    check("a\n.\n", false, true, "a\n"); /* lines without a CR in between */
    check("\ra\r\n\r\r.\n\r.\n", false, true, "a\r\n\r\r.\n\r");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lone_dot_ends_a_message),
        cmocka_unit_test(an_empty_message_is_only_its_end),
        cmocka_unit_test(of_two_dots_the_first_is_dropped),
        cmocka_unit_test(one_dot_that_is_not_the_end_is_left_as_it_is),
        cmocka_unit_test(a_dot_and_a_cr_without_lf_are_octets_of_the_message),
        cmocka_unit_test(dots_inside_lines_mean_nothing),
        cmocka_unit_test(the_end_is_as_doubtful_as_the_lines_around_it),
        cmocka_unit_test(nothing_behind_the_end_is_taken),
        cmocka_unit_test(a_message_without_its_end_does_not_end),
        cmocka_unit_test(eight_bit_octets_and_nul_pass_unchanged),
        cmocka_unit_test(every_octet_value_passes_unchanged),
        cmocka_unit_test(lines_may_end_with_lf_cr),
        cmocka_unit_test(a_run_without_leading_dots_is_one_chunk_in_the_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
