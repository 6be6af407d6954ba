/* Which account's turn it is: bounds on all, on each host and on each mailbox hold, nobody is
 * forgotten, and times are kept. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/schedule.h"

enum { most = 200 };

/* Accounts: account i is at a host and a mailbox that a test chooses. */
typedef struct fixture {
    p3_account accounts[most];
    const p3_account *all[most];
    char hosts[most][16];
    char keys[most][16];
    p3_schedule *schedule;
} fixture;

static fixture f;

static void make(size_t count, unsigned jobs, unsigned per_host, unsigned hosts, unsigned mailboxes)
{
    f = (fixture){0};
    for (size_t i = 0; i < count; i++) {
        snprintf(f.hosts[i], sizeof f.hosts[i], i % 2 == 0 ? "Host%zu" : "hOST%zu", i % hosts);
        snprintf(f.keys[i], sizeof f.keys[i], "key%zu", i % mailboxes);
        f.accounts[i].connection.host = f.hosts[i];
        f.accounts[i].key = f.keys[i];
        f.all[i] = &f.accounts[i];
    }
    f.schedule = p3_schedule_new(f.all, count, jobs, per_host);
    assert_non_null(f.schedule);
}

static void takes(size_t wanted, int64_t now)
{
    size_t which = most;
    assert_true(p3_schedule_take(f.schedule, now, &which));
    assert_int_equal(which, wanted);
}

static void takes_none(int64_t now)
{
    size_t which;
    assert_false(p3_schedule_take(f.schedule, now, &which));
}

static void accounts_of_one_host_have_their_turn_in_order(void **state)
{
    (void)state;
    make(5, 3, 10, 1, 5);
    takes(0, 0);
    takes(1, 0);
    takes(2, 0);
    takes_none(0); /* three jobs */
    p3_schedule_finish(f.schedule, 1);
    takes(3, 0);
    takes_none(0);
    p3_schedule_finish(f.schedule, 0);
    takes(4, 0);
    for (size_t i = 2; i < 5; i++)
        p3_schedule_finish(f.schedule, i);
    takes_none(INT64_MAX);
    assert_int_equal(p3_schedule_active(f.schedule), 0);
    p3_schedule_free(f.schedule);
}

static void a_busy_host_does_not_hold_up_the_others(void **state)
{
    (void)state;
    make(6, 10, 1, 2, 6); /* 0, 2, 4 at one host; 1, 3, 5 at the other */
    takes(0, 0);
    takes(1, 0);
    takes_none(0);
    p3_schedule_finish(f.schedule, 1);
    takes(3, 0);
    takes_none(0);
    p3_schedule_finish(f.schedule, 3);
    takes(5, 0);
    p3_schedule_finish(f.schedule, 0);
    takes(2, 0);
    p3_schedule_free(f.schedule);
}

static void one_mailbox_has_one_turn_at_a_time(void **state)
{
    (void)state;
    make(4, 10, 10, 1, 2); /* 0 and 2 are one, 1 and 3 another */
    takes(0, 0);
    takes(1, 0);
    takes_none(0);
    p3_schedule_finish(f.schedule, 0);
    takes(2, 0);
    assert_true(p3_schedule_again(f.schedule, 2, 0));
    takes(2, 0);
    p3_schedule_finish(f.schedule, 1);
    takes(3, 0);
    p3_schedule_free(f.schedule);
}

static void what_comes_again_at_once_goes_before_the_others(void **state)
{
    (void)state;
    make(3, 1, 1, 1, 3);
    takes(0, 0);
    assert_true(p3_schedule_again(f.schedule, 0, 0));
    takes(0, 0);
    p3_schedule_finish(f.schedule, 0);
    takes(1, 0);
    p3_schedule_free(f.schedule);
}

static void what_waits_for_a_time_comes_then_and_the_soonest_first(void **state)
{
    static const int64_t times[] = {70, 20, 90, 40, 10, 60, 30, 80, 50};
    (void)state;
    make(9, 9, 9, 1, 9);
    for (size_t i = 0; i < 9; i++)
        takes(i, 0);
    assert_int_equal(p3_schedule_next(f.schedule), INT64_MAX);
    for (size_t i = 0; i < 9; i++)
        assert_true(p3_schedule_again(f.schedule, i, times[i]));
    takes_none(9);
    for (int64_t t = 10; t <= 90; t += 10) {
        assert_int_equal(p3_schedule_next(f.schedule), t);
        takes_none(t - 1);
        size_t which = most;
        assert_true(p3_schedule_take(f.schedule, t, &which));
        assert_int_equal(times[which], t);
    }
    assert_int_equal(p3_schedule_next(f.schedule), INT64_MAX);
    p3_schedule_free(f.schedule);
}

static void nothing_is_due_while_there_is_no_room(void **state)
{
    (void)state;
    make(3, 1, 1, 3, 3);
    takes(0, 0);
    assert_true(p3_schedule_again(f.schedule, 0, 50));
    takes(1, 0);
    assert_int_equal(p3_schedule_next(f.schedule), INT64_MAX);
    p3_schedule_finish(f.schedule, 1);
    assert_int_equal(p3_schedule_next(f.schedule), 50);
    p3_schedule_free(f.schedule);
}

/* What the schedule must keep to, whatever happens. */
static void check_bounds(const bool *active, size_t count, unsigned jobs, unsigned per_host,
                         unsigned hosts, unsigned mailboxes)
{
    size_t all = 0;
    for (size_t i = 0; i < count; i++) {
        size_t here = 0;
        size_t same = 0;
        all += active[i];
        for (size_t k = 0; k < count; k++) {
            here += active[k] && k % hosts == i % hosts;
            same += active[k] && k % mailboxes == i % mailboxes;
        }
        assert_true(here <= per_host && same <= 1);
    }
    assert_true(all <= jobs && all == p3_schedule_active(f.schedule));
}

static void whatever_happens_bounds_hold_and_everybody_is_served(void **state)
{
    (void)state;
    srand(7);
    for (int round = 0; round < 200; round++) {
        size_t count = 1 + (size_t)rand() % 60;
        unsigned jobs = 1 + (unsigned)rand() % 12;
        unsigned per_host = 1 + (unsigned)rand() % 5;
        unsigned hosts = 1 + (unsigned)rand() % 9;
        unsigned mailboxes = 1 + (unsigned)rand() % 70;
        bool active[most] = {false};
        unsigned turns[most] = {0};
        size_t left = count;
        int64_t now = 0;
        make(count, jobs, per_host, hosts, mailboxes);
        while (left > 0) {
            size_t which;
            while (p3_schedule_take(f.schedule, now, &which)) {
                assert_true(which < count && !active[which] && turns[which] < 3);
                active[which] = true;
                turns[which]++;
                check_bounds(active, count, jobs, per_host, hosts, mailboxes);
            }
            size_t at = (size_t)rand() % count;
            for (size_t n = 0; n < count && !active[at]; n++)
                at = (at + 1) % count;
            if (!active[at]) { /* all that are left wait for a time */
                assert_true(p3_schedule_next(f.schedule) < INT64_MAX);
                now = p3_schedule_next(f.schedule);
                continue;
            }
            active[at] = false;
            if (turns[at] == 3) {
                p3_schedule_finish(f.schedule, at);
                left--;
            } else {
                int64_t when = rand() % 2 == 0 ? 0 : now + rand() % 100;
                assert_true(p3_schedule_again(f.schedule, at, when));
            }
        }
        p3_schedule_free(f.schedule);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_of_one_host_have_their_turn_in_order),
        cmocka_unit_test(a_busy_host_does_not_hold_up_the_others),
        cmocka_unit_test(one_mailbox_has_one_turn_at_a_time),
        cmocka_unit_test(what_comes_again_at_once_goes_before_the_others),
        cmocka_unit_test(what_waits_for_a_time_comes_then_and_the_soonest_first),
        cmocka_unit_test(nothing_is_due_while_there_is_no_room),
        cmocka_unit_test(whatever_happens_bounds_hold_and_everybody_is_served),
    };
    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
