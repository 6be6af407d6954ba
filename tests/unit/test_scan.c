/* The search for LF and dot: every version this processor can run gives the answer of the obvious
 * loop, at every place and length, and reads nothing beyond the end it was given. */
#define _DEFAULT_SOURCE /* MAP_ANON */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/scan.h"

enum { most_length = 200, most_shift = 64, versions_cap = 8 };

/* Pages of octets with a page behind them, and one before, that nobody may touch. */
typedef struct guarded {
    char *base; /* first octet that may be used */
    size_t size;
    size_t page;
} guarded;

static guarded guarded_begin(size_t pages)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *all = mmap(NULL, (pages + 2) * page, PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0);
    assert_true(all != MAP_FAILED);
    assert_int_equal(mprotect(all + page, pages * page, PROT_READ | PROT_WRITE), 0);
    return (guarded){.base = all + page, .size = pages * page, .page = page};
}

static void guarded_end(guarded *g)
{
    assert_int_equal(munmap(g->base - g->page, g->size + 2 * g->page), 0);
}

/* A generator with a fixed seed: the same octets in every run, everywhere (xorshift64). */
static uint64_t random_state;

static uint32_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 32);
}

/* Written for this test, so that a mistake in the library's own loop is seen as well. */
static const char *expected_place(const char *p, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        if (p[i] == '\n' && p[i + 1] == '.')
            return p + i;
    }
    return NULL;
}

static void check(const char *p, size_t n)
{
    p3_find_version versions[versions_cap];
    size_t count = p3_find_versions(versions, versions_cap);
    const char *want = expected_place(p, n);
    for (size_t v = 0; v < count; v++) {
        const char *got = versions[v].find(p, p + n);
        if (got != want)
            fail_msg("%s: length %zu: found at %td, not at %td", versions[v].name, n,
                     got == NULL ? -1 : got - p, want == NULL ? -1 : want - p);
    }
    assert_ptr_equal(p3_find_lf_dot(p, p + n), want);
}

static void the_versions_begin_with_the_obvious_loop_and_have_names(void **state)
{
    (void)state;
    p3_find_version versions[versions_cap];
    size_t count = p3_find_versions(versions, versions_cap);
    assert_in_range(count, 2, versions_cap - 1);
    assert_string_equal(versions[0].name, "plain");
    assert_string_equal(versions[1].name, "word");
    for (size_t v = 0; v < count; v++) {
        assert_non_null(versions[v].name);
        assert_non_null(versions[v].find);
    }
    assert_int_equal(p3_find_versions(versions, 1), 1);
    assert_int_equal(p3_find_versions(versions, 0), 0);
}

/* The end of what may be read is the end of the page: one octet more is a crash. */
static void a_pair_is_found_at_every_place_of_every_length_at_a_page_end(void **state)
{
    (void)state;
    guarded g = guarded_begin(1);
    for (size_t n = 0; n <= most_length; n++) {
        char *p = g.base + g.size - n;
        memset(p, 'x', n);
        check(p, n);
        for (size_t at = 0; at + 1 < n; at++) {
            p[at] = '\n';
            p[at + 1] = '.';
            check(p, n);
            p[at] = p[at + 1] = 'x';
        }
    }
    guarded_end(&g);
}

static void a_pair_is_found_at_every_alignment(void **state)
{
    (void)state;
    guarded g = guarded_begin(1);
    for (size_t shift = 0; shift < most_shift; shift++) {
        char *p = g.base + shift; /* reads before the start touch the page before */
        memset(g.base, '.', g.size);
        for (size_t n = 0; n <= most_length; n++) {
            if (n >= 2) {
                p[n - 2] = '\n';
                check(p, n);
                p[n - 2] = '.';
            }
            check(p, n);
        }
    }
    guarded_end(&g);
}

static void a_pair_cut_by_the_end_is_not_found(void **state)
{
    (void)state;
    char data[most_length + 2];
    for (size_t n = 1; n <= most_length; n++) {
        memset(data, 'x', sizeof data);
        data[n - 1] = '\n';
        data[n] = '.'; /* there, but behind the end */
        check(data, n);
        assert_null(p3_find_lf_dot(data, data + n));
        assert_ptr_equal(p3_find_lf_dot(data, data + n + 1), data + n - 1);
    }
}

static void the_first_of_many_pairs_is_found(void **state)
{
    (void)state;
    char data[most_length];
    for (size_t first = 0; first + 1 < sizeof data; first++) {
        memset(data, 'x', sizeof data);
        for (size_t i = first; i + 1 < sizeof data; i += 2) {
            data[i] = '\n';
            data[i + 1] = '.';
        }
        check(data, sizeof data);
    }
}

/* Octets that a search by words or vectors might take for LF or dot: those that differ in one bit,
 * or that carry into their neighbour when a word is subtracted from. */
static void neighbours_of_lf_and_dot_are_not_mistaken_for_them(void **state)
{
    (void)state;
    static const char alphabet[] = {'\n', '\n', '\n', '.',    '.',    '.',  '\x0b', '\x09',
                                    '\0', '/',  '-',  '\x8a', '\xae', '\r', '\x01', '\xff'};
    guarded g = guarded_begin(1);
    random_state = 0x9E3779B97F4A7C15u;
    for (int round = 0; round < 20000; round++) {
        size_t n = random_next() % (most_length + 1);
        char *p = g.base + g.size - n;
        for (size_t i = 0; i < n; i++)
            p[i] = alphabet[random_next() % sizeof alphabet];
        check(p, n);
    }
    guarded_end(&g);
}

static void sparse_pairs_in_random_octets_are_found(void **state)
{
    (void)state;
    guarded g = guarded_begin(1);
    random_state = 0xD1B54A32D192ED03u;
    for (int round = 0; round < 5000; round++) {
        size_t n = random_next() % 2000;
        char *p = g.base + g.size - n;
        for (size_t i = 0; i < n; i++)
            p[i] = (char)(random_next() & 0xFF);
        if (n > 2 && round % 2 == 0) {
            size_t at = random_next() % (n - 1);
            p[at] = '\n';
            p[at + 1] = '.';
        }
        check(p, n);
    }
    guarded_end(&g);
}

static void lines_without_dots_and_dots_without_lines_give_nothing(void **state)
{
    (void)state;
    char data[most_length];
    for (size_t n = 0; n <= sizeof data; n++) {
        memset(data, '\n', n);
        check(data, n);
        memset(data, '.', n);
        check(data, n);
        for (size_t i = 0; i < n; i++)
            data[i] = i % 2 == 0 ? '.' : '\r';
        check(data, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_versions_begin_with_the_obvious_loop_and_have_names),
        cmocka_unit_test(a_pair_is_found_at_every_place_of_every_length_at_a_page_end),
        cmocka_unit_test(a_pair_is_found_at_every_alignment),
        cmocka_unit_test(a_pair_cut_by_the_end_is_not_found),
        cmocka_unit_test(the_first_of_many_pairs_is_found),
        cmocka_unit_test(neighbours_of_lf_and_dot_are_not_mistaken_for_them),
        cmocka_unit_test(sparse_pairs_in_random_octets_are_found),
        cmocka_unit_test(lines_without_dots_and_dots_without_lines_give_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
