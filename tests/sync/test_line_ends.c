/* Line ends of messages that are delivered, against the obvious loop. */
#include "unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/line_ends.h"
#include "deliver/message.h"

/* CRLF becomes LF, octet by octet. */
static size_t obvious(char *to, const char *from, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (from[i] != '\r' || i + 1 == len || from[i + 1] != '\n')
            to[n++] = from[i];
    }
    return n;
}

static void fill(char *text, size_t len, const char *octets)
{
    for (size_t i = 0; i < len; i++)
        text[i] = octets[(size_t)rand() % strlen(octets)];
}

typedef size_t copier(char *restrict to, const char *restrict from, size_t len);

static void copies(copier *copy, const char *from, size_t len)
{
    char *expected = malloc(len + 1);
    char *to = malloc(len + 1);
    assert_true(expected != NULL && to != NULL);
    size_t n = obvious(expected, from, len);
    to[len] = '#'; /* there is room for `len` octets, and no more */
    assert_int_equal(copy(to, from, len), n);
    assert_memory_equal(to, expected, n);
    assert_int_equal(to[len], '#');
    free(to);
    free(expected);
}

static void both_copy(const char *from, size_t len)
{
    copies(p3_copy_with_lf, from, len);
    copies(p3_copy_with_lf_plain, from, len);
}

static void any_octets_are_copied_as_the_obvious_loop_does(void **state)
{
    static const char *const alphabets[] = {
        "\r\n",         "\r",  "\r\r\r\na",
        "abcdefgh\r\n", "a\n", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs\r\n"};
    (void)state;
    srand(1);
    for (size_t a = 0; a < sizeof alphabets / sizeof *alphabets; a++) {
        for (size_t len = 0; len < 150; len++) {
            for (int times = 0; times < 30; times++) {
                char *text = malloc(len > 0 ? len : 1); /* so that a sanitizer sees its ends */
                assert_non_null(text);
                fill(text, len, alphabets[a]);
                both_copy(text, len);
                free(text);
            }
        }
    }
}

static void a_line_end_anywhere_in_a_block_becomes_lf(void **state)
{
    (void)state;
    for (size_t at = 0; at + 2 <= 70; at++) {
        char text[70];
        memset(text, 'x', sizeof text);
        memcpy(text + at, "\r\n", 2);
        both_copy(text, sizeof text);
        both_copy(text, at + 1); /* the CR comes last */
        text[at + 1] = '\r';
        both_copy(text, sizeof text);
    }
}

/* ---- messages ---- */

/* A target that keeps what it is given. */
typedef struct keeper {
    p3_delivery base;
    char *text;
    size_t len, most;
} keeper;

static bool begin(p3_delivery *d, const char *name, const char *sender, p3_problem *why)
{
    (void)name, (void)sender, (void)why;
    ((keeper *)d)->len = 0;
    return true;
}

static bool keep(p3_delivery *d, const char *data, size_t len, p3_problem *why)
{
    keeper *k = (keeper *)d;
    (void)why;
    assert_true(len <= k->most - k->len);
    memcpy(k->text + k->len, data, len);
    k->len += len;
    return true;
}

static bool finish(p3_delivery *d, p3_parcel *out, p3_problem *why)
{
    (void)d, (void)out, (void)why;
    return true;
}

static const p3_delivery_class keeper_class = {.begin = begin, .write = keep, .finish = finish};

/* However a message is cut on its way, and wherever the buffers end that it goes through. */
static void a_message_is_the_same_however_it_comes(void **state)
{
    enum { LENGTH = 700000 };
    static const char *const alphabets[] = {"\r", "\r\n", "abcdefghijklmnop\r\n"};
    keeper k = {.base = {.class = &keeper_class}, .text = malloc(LENGTH), .most = LENGTH};
    char *text = malloc(LENGTH);
    char *expected = malloc(LENGTH);
    (void)state;
    assert_true(k.text != NULL && text != NULL && expected != NULL);
    srand(2);
    for (int times = 0; times < 30; times++) {
        p3_message m;
        p3_parcel parcel = {0};
        fill(text, LENGTH, alphabets[times % 3]);
        size_t len = LENGTH - (size_t)rand() % 10;
        size_t most = times < 15 ? 20 : 70000;
        assert_true(p3_message_init(&m, &k.base, P3_LINES_LF, P3_BODIES_NONE));
        p3_message_begin(&m, "name");
        for (size_t at = 0, n; at < len; at += n) {
            n = (size_t)rand() % most + 1;
            n = n < len - at ? n : len - at;
            assert_true(p3_message_take(&m, text + at, n));
        }
        assert_true(p3_message_finish(&m, &parcel));
        assert_int_equal(k.len, obvious(expected, text, len));
        assert_memory_equal(k.text, expected, k.len);
        p3_message_free(&m);
    }
    free(expected);
    free(text);
    free(k.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_octets_are_copied_as_the_obvious_loop_does),
        cmocka_unit_test(a_line_end_anywhere_in_a_block_becomes_lf),
        cmocka_unit_test(a_message_is_the_same_however_it_comes),
    };
    return cmocka_run_group_tests_name("line_ends", tests, NULL, NULL);
}
