/* How long a session may take. */
#include "unit.h"

#include "collect/time_limit.h"

static void a_session_that_brings_nothing_ends_after_the_base(void **state)
{
    p3_time_limit p;
    (void)state;
    p3_time_limit_begin(&p, 0, 5000);
    assert_int_equal(p3_time_limit_left(&p, 0, 5000), P3_TIME_LIMIT_MS);
    assert_int_equal(p3_time_limit_left(&p, 0, 5000 + P3_TIME_LIMIT_MS), 0);
    assert_true(p3_time_limit_left(&p, 999, 5001 + P3_TIME_LIMIT_MS) < 0);
}

static void what_comes_earns_time(void **state)
{
    p3_time_limit p;
    (void)state;
    p3_time_limit_begin(&p, 0, 1);
    assert_int_equal(p3_time_limit_left(&p, 60 * (uint64_t)P3_TIME_LIMIT_RATE, 1),
                     P3_TIME_LIMIT_MS + 60000);
    /* an octet every ten seconds, say, does not earn enough */
    int64_t day = (int64_t)86400 * 1000;
    assert_true(p3_time_limit_left(&p, 8640, 1 + day) < 0);
    /* a gigabyte over a line of 2,000 octets a second does */
    assert_true(p3_time_limit_left(&p, 1000000000, 500000 * (int64_t)1000) > 0);
    assert_true(p3_time_limit_left(&p, UINT64_MAX, INT64_MAX / 8) > 0);
}

static void time_that_the_server_waits_for_us_does_not_count(void **state)
{
    p3_time_limit p;
    (void)state;
    p3_time_limit_begin(&p, 0, 1000);
    p3_time_limit_pause(&p, false, 1500);
    p3_time_limit_pause(&p, true, 2000);
    p3_time_limit_pause(&p, true, 3000);
    assert_true(p3_time_limit_left(&p, 0, 2000 + 10 * P3_TIME_LIMIT_MS) > P3_TIME_LIMIT_MS);
    p3_time_limit_pause(&p, false, 2000 + 10 * P3_TIME_LIMIT_MS);
    assert_int_equal(p3_time_limit_left(&p, 0, 2000 + 10 * P3_TIME_LIMIT_MS),
                     P3_TIME_LIMIT_MS - 1000);
}

static void what_one_session_took_the_next_one_lacks(void **state)
{
    p3_time_limit p;
    (void)state;
    p3_time_limit_begin(&p, 0, 1000);
    p3_time_limit_pause(&p, true, 2000); /* it delivers what it has */
    int64_t spent = p3_time_limit_spent(&p, 500, 900000);
    assert_int_equal(spent, 1000);
    p3_time_limit_begin(&p, spent, 10000);
    assert_int_equal(p3_time_limit_left(&p, 0, 10000), P3_TIME_LIMIT_MS - 1000);
    assert_int_equal(p3_time_limit_spent(&p, 10 * (uint64_t)P3_TIME_LIMIT_RATE, 12000), -7000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_that_brings_nothing_ends_after_the_base),
        cmocka_unit_test(what_comes_earns_time),
        cmocka_unit_test(time_that_the_server_waits_for_us_does_not_count),
        cmocka_unit_test(what_one_session_took_the_next_one_lacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
