/* The verdict on a visit, and what comes after it. */
#include "unit.h"

#include "collect/verdict.h"

#include <sysexits.h>

static p3_again next_of(const p3_verdict *v, bool goes_on, p3_waits *waits, int64_t *wait_ms)
{
    return p3_verdict_next(v, goes_on, 1000, 3, waits, wait_ms);
}

static void a_visit_without_trouble_is_the_last(void **state)
{
    p3_verdict v = {0};
    p3_waits waits = {0};
    int64_t wait_ms;
    (void)state;
    assert_int_equal(next_of(&v, true, &waits, &wait_ms), P3_AGAIN_NO);
}

static void the_first_problem_counts_and_the_soonest_return(void **state)
{
    p3_verdict v = {0};
    p3_problem first;
    p3_problem second;
    (void)state;
    p3_problem_set(&first, EX_TEMPFAIL, "first");
    p3_problem_set(&second, EX_NOPERM, "second");
    p3_verdict_note(&v, &first);
    p3_verdict_note(&v, &second);
    assert_int_equal(v.problem.exit, EX_TEMPFAIL);
    assert_string_equal(v.problem.text, "first");
    p3_verdict_ask(&v, P3_AGAIN_NOW);
    p3_verdict_ask(&v, P3_AGAIN_LATER);
    assert_int_equal(v.again, P3_AGAIN_NOW);
}

static void what_was_lost_or_left_over_comes_at_once_as_far_as_the_run_goes_on(void **state)
{
    p3_verdict lost = {.again = P3_AGAIN_NOW};
    p3_verdict more = {.more = true};
    p3_waits waits = {0};
    int64_t wait_ms;
    (void)state;
    assert_int_equal(next_of(&lost, true, &waits, &wait_ms), P3_AGAIN_NOW);
    assert_int_equal(next_of(&more, true, &waits, &wait_ms), P3_AGAIN_NOW);
    assert_int_equal(next_of(&lost, false, &waits, &wait_ms), P3_AGAIN_NO);
    assert_int_equal(next_of(&more, false, &waits, &wait_ms), P3_AGAIN_NO);
    assert_int_equal(waits.count, 0);
}

static void waits_double_and_end(void **state)
{
    p3_verdict v = {.again = P3_AGAIN_LATER};
    p3_waits waits = {0};
    (void)state;
    for (int64_t expected = 1000; expected <= 4000; expected *= 2) {
        int64_t wait_ms;
        assert_int_equal(next_of(&v, true, &waits, &wait_ms), P3_AGAIN_LATER);
        assert_int_equal(wait_ms, expected);
    }
    int64_t wait_ms;
    assert_int_equal(next_of(&v, true, &waits, &wait_ms), P3_AGAIN_NO);
}

static void an_announced_wait_is_kept_once_and_never_a_long_one(void **state)
{
    p3_verdict v = {.again = P3_AGAIN_LATER, .wait_ms = 60000};
    p3_waits waits = {0};
    int64_t wait_ms;
    (void)state;
    assert_int_equal(next_of(&v, true, &waits, &wait_ms), P3_AGAIN_LATER);
    assert_int_equal(wait_ms, 60000);
    assert_int_equal(next_of(&v, true, &waits, &wait_ms), P3_AGAIN_NO);
    waits = (p3_waits){0};
    v.wait_ms = P3_WAIT_MOST + 1;
    assert_int_equal(next_of(&v, true, &waits, &wait_ms), P3_AGAIN_NO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_visit_without_trouble_is_the_last),
        cmocka_unit_test(the_first_problem_counts_and_the_soonest_return),
        cmocka_unit_test(what_was_lost_or_left_over_comes_at_once_as_far_as_the_run_goes_on),
        cmocka_unit_test(waits_double_and_end),
        cmocka_unit_test(an_announced_wait_is_kept_once_and_never_a_long_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
