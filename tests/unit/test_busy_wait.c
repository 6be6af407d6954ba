/* When a blocking call looks for an answer before it sleeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/busy_wait.h"

/* Waits until a look is due, and tells how many went without one. */
static unsigned waits_without(p3_busy_wait *g)
{
    unsigned waits = 0;
    while (!p3_busy_wait_is_due(g))
        waits++;
    return waits;
}

static void every_wait_is_looked_at_while_answers_come_at_once(void **state)
{
    p3_busy_wait g = {0};
    (void)state;
    for (int i = 0; i < 5000; i++) {
        assert_true(p3_busy_wait_is_due(&g));
        p3_busy_wait_over(&g, true);
    }
}

static void looks_in_vain_become_rare(void **state)
{
    p3_busy_wait g = {0};
    (void)state;
    assert_int_equal(waits_without(&g), 0);
    for (unsigned expected = 1; expected <= 1024; expected *= 2) {
        p3_busy_wait_over(&g, false);
        assert_int_equal(waits_without(&g), expected);
    }
    for (int i = 0; i < 3; i++) {
        p3_busy_wait_over(&g, false);
        assert_int_equal(waits_without(&g), P3_BUSY_WAIT_REST);
    }
}

static void one_look_that_finds_something_is_enough_to_look_again(void **state)
{
    p3_busy_wait g = {0};
    (void)state;
    for (int i = 0; i < 20; i++) {
        p3_busy_wait_over(&g, false);
        (void)waits_without(&g);
    }
    p3_busy_wait_over(&g, true);
    assert_int_equal(waits_without(&g), 0);
    p3_busy_wait_over(&g, false);
    assert_int_equal(waits_without(&g), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_wait_is_looked_at_while_answers_come_at_once),
        cmocka_unit_test(looks_in_vain_become_rare),
        cmocka_unit_test(one_look_that_finds_something_is_enough_to_look_again),
    };
    return cmocka_run_group_tests_name("busy_wait", tests, NULL, NULL);
}
