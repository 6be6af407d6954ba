/* How far a server is trusted: what a visit that it ended teaches the next one. */
#include "unit.h"

#include "collect/trust.h"

#include <string.h>

/* Commands answered: more than a server answers that ends each visit after a few. */
#define MANY 40

/* Visits of one run, each of which ends by an event. */
typedef struct run {
    p3_trust trust;
    pop3_server_traits learned;
} run;

static bool end_by(run *r, p3_evidence e)
{
    p3_trust next = r->trust;
    bool another_way = p3_trust_adapt(&r->trust, &next, &e, &r->learned);
    r->trust = next;
    return another_way;
}

static void a_server_that_falls_silent_is_asked_one_thing_at_a_time(void **state)
{
    run r = {0};
    p3_evidence e = {.status = POP3_ERR_TIMEOUT,
                     .stage = P3_STAGE_RETRIEVAL,
                     .may_pipeline = true,
                     .pipelined = true};
    (void)state;
    assert_false(p3_trust_goes_in_steps(&r.trust));
    assert_true(end_by(&r, e));
    assert_int_equal(r.trust.one_at_a_time, P3_ONE_AT_A_TIME_SILENCE);
    assert_true(p3_trust_goes_in_steps(&r.trust));
    assert_false(end_by(&r, e)); /* that way has been tried */
}

static void silence_teaches_nothing_where_no_commands_went_together(void **state)
{
    run r = {0};
    (void)state;
    assert_false(end_by(&r, (p3_evidence){.status = POP3_ERR_TIMEOUT,
                                          .stage = P3_STAGE_RETRIEVAL,
                                          .may_pipeline = true}));
    assert_false(end_by(
        &r,
        (p3_evidence){.status = POP3_ERR_TIMEOUT, .stage = P3_STAGE_RETRIEVAL, .pipelined = true}));
    assert_int_equal(r.trust.one_at_a_time, P3_ONE_AT_A_TIME_NO);
}

static void a_message_at_which_it_hangs_up_twice_is_set_aside(void **state)
{
    run r = {0};
    p3_evidence e = {
        .status = POP3_ERR_CLOSED, .stage = P3_STAGE_RETRIEVAL, .answered = MANY, .in_hand = 7};
    (void)state;
    assert_false(end_by(&r, e));
    assert_false(p3_trust_sets_aside(&r.trust, 7));
    assert_true(end_by(&r, e));
    assert_true(p3_trust_sets_aside(&r.trust, 7));
    assert_false(p3_trust_sets_aside(&r.trust, 8));
}

static void
a_new_message_at_whose_header_it_breaks_is_looked_at_by_retr_and_then_set_aside(void **state)
{
    static const pop3_status ends[] = {POP3_ERR_CLOSED, POP3_ERR_TIMEOUT, POP3_ERR_PROTOCOL,
                                       POP3_ERR_LIMIT};
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        run r = {0};
        p3_evidence e = {.status = ends[i],
                         .stage = P3_STAGE_FILTER,
                         .answered = MANY,
                         .in_hand = 7,
                         .at_top = true,
                         .may_pipeline = true};
        (void)end_by(&r, e);
        assert_true(end_by(&r, e));
        assert_true(r.trust.no_top);
        assert_false(p3_trust_sets_aside(&r.trust, 7));
        e.at_top = false;
        assert_true(end_by(&r, e));
        assert_true(p3_trust_sets_aside(&r.trust, 7));
        assert_false(r.trust.no_top); /* TOP is not to blame */
        assert_int_equal(r.trust.one_at_a_time, P3_ONE_AT_A_TIME_NO);
    }
}

static void no_more_messages_are_set_aside_than_there_is_room_for(void **state)
{
    run r = {0};
    (void)state;
    for (uint32_t i = 1; i <= 2 * P3_ASIDE_MOST; i++) {
        p3_evidence e = {
            .status = POP3_ERR_CLOSED, .stage = P3_STAGE_RETRIEVAL, .answered = MANY, .in_hand = i};
        (void)end_by(&r, e);
        (void)end_by(&r, e);
    }
    assert_int_equal(r.trust.asides, P3_ASIDE_MOST);
}

static void uidl_is_left_out_where_it_closes_at_it(void **state)
{
    run r = {0};
    p3_evidence e = {
        .status = POP3_ERR_CLOSED, .stage = P3_STAGE_LISTING, .answered = MANY, .at_uidl = true};
    (void)state;
    assert_false(end_by(&r, e));
    assert_true(end_by(&r, e));
    assert_true(r.trust.no_uidl);
    pop3_server_traits learned = p3_trust_confirm(&r.trust, &r.trust, false, false);
    assert_true((learned.flags & POP3_TRAIT_NO_UIDL) != 0);
}

static void uidl_is_left_out_where_it_makes_no_sense_once_commands_go_one_at_a_time(void **state)
{
    run r = {0};
    p3_evidence e = {.status = POP3_ERR_PROTOCOL,
                     .stage = P3_STAGE_LISTING,
                     .answered = MANY,
                     .at_uidl = true,
                     .may_pipeline = true,
                     .pipelined = true};
    (void)state;
    assert_false(end_by(&r, e));
    p3_trust_raise(&r.trust, P3_CAUTION_STEPS);
    e.pipelined = false;
    assert_true(end_by(&r, e));
    assert_true(r.trust.no_uidl);
}

static void list_is_left_out_where_it_ends_a_visit_that_can_do_without(void **state)
{
    static const pop3_status ends[] = {POP3_ERR_CLOSED, POP3_ERR_TIMEOUT, POP3_ERR_PROTOCOL,
                                       POP3_ERR_LIMIT};
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        run r = {0};
        p3_evidence e = {.status = ends[i], .stage = P3_STAGE_LISTING, .answered = MANY};
        assert_false(end_by(&r, e));
        e.at_spare_list = true;
        assert_true(end_by(&r, e));
        assert_true(r.trust.no_sizes);
    }
}

static void what_was_refused_before_it_closed_is_left_out(void **state)
{
    run r = {0};
    p3_evidence e = {.status = POP3_ERR_CLOSED,
                     .stage = P3_STAGE_HEADERS,
                     .answered = MANY,
                     .uidl_refused = true,
                     .top_refused = true};
    (void)state;
    assert_true(end_by(&r, e));
    assert_true(r.trust.no_uidl && r.trust.no_top);
    pop3_server_traits learned = p3_trust_confirm(&r.trust, &r.trust, false, false);
    assert_int_equal(learned.flags, POP3_TRAIT_NO_UIDL | POP3_TRAIT_NO_TOP);
}

static void a_login_that_it_closes_is_to_be_tried_by_another_mechanism(void **state)
{
    p3_trust t = {0};
    p3_evidence e = {.status = POP3_ERR_CLOSED, .stage = P3_STAGE_LOGIN, .logins = 1};
    (void)state;
    assert_non_null(strstr(p3_trust_advice(&t, &t, &e, false), "--auth"));
    e.logins = 0; /* it closed before a login began: that says nothing of the mechanism */
    assert_null(p3_trust_advice(&t, &t, &e, false));
}

static void quit_comes_after_half_as_many_deletions_where_it_closes_before(void **state)
{
    run r = {0};
    p3_evidence e = {
        .status = POP3_ERR_CLOSED, .stage = P3_STAGE_RETRIEVAL, .deletes = 9, .deleted = 8};
    (void)state;
    assert_true(end_by(&r, e));
    assert_int_equal(r.learned.quit_after, 4);
    e.known = r.learned;
    e.deleted = 1;
    assert_true(end_by(&r, e));
    assert_int_equal(r.learned.quit_after, 1);
    e.known.quit_after = 1;
    assert_false(end_by(&r, e));
}

static void quit_that_is_never_answered_is_tried_after_fewer_deletions(void **state)
{
    run r = {0};
    p3_evidence e = {
        .status = POP3_ERR_CLOSED, .stage = P3_STAGE_QUIT, .deletes = 20, .deleted = 20};
    (void)state;
    assert_false(end_by(&r, e));
    assert_true(p3_trust_quota(&r.trust, 0) == SIZE_MAX);
    assert_false(end_by(&r, e));
    assert_int_equal(p3_trust_quota(&r.trust, 0), 10);
    assert_false(end_by(&r, e));
    assert_int_equal(p3_trust_quota(&r.trust, 0), 1);
    assert_int_equal(p3_trust_quota(&r.trust, 5), 1);
    pop3_server_traits learned = p3_trust_confirm(&r.trust, &r.trust, true, false);
    assert_int_equal(learned.quit_after, 1);
    assert_int_equal(r.trust.quits, 0);
}

static void a_message_whose_deletion_breaks_the_session_is_postponed_and_then_kept(void **state)
{
    static const pop3_status ends[] = {POP3_ERR_CLOSED, POP3_ERR_TIMEOUT, POP3_ERR_PROTOCOL,
                                       POP3_ERR_LIMIT};
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        run r = {0};
        p3_evidence e = {.status = ends[i],
                         .stage = P3_STAGE_RETRIEVAL,
                         .answered = MANY,
                         .deletes = 3,
                         .deleted = 2,
                         .deleting = 7};
        assert_true(end_by(&r, e));
        assert_false(p3_postponed_find(&r.trust.postponed, 7)->kept);
        assert_null(p3_postponed_find(&r.trust.postponed, 8));
        e.deleted = 0;
        assert_true(end_by(&r, e));
        assert_true(p3_postponed_find(&r.trust.postponed, 7)->kept);
        assert_int_equal(r.trust.blame, P3_BLAME_MESSAGE);
        assert_int_equal(r.learned.quit_after, 0);
    }
}

static void a_message_whose_deletion_broke_a_session_of_an_earlier_run_is_kept_at_once(void **state)
{
    run r = {0};
    p3_evidence e = {.status = POP3_ERR_CLOSED,
                     .stage = P3_STAGE_RETRIEVAL,
                     .answered = MANY,
                     .deletes = 1,
                     .deleting = 7,
                     .deleting_again = true};
    (void)state;
    assert_true(end_by(&r, e));
    assert_true(p3_postponed_find(&r.trust.postponed, 7)->kept);
    e.deleting = 0;
    e.status = POP3_ERR_TIMEOUT;
    (void)end_by(&r, e);
    assert_int_equal(r.trust.blame, P3_BLAME_NONE);
}

static void
a_server_that_counts_deletions_is_told_from_a_message_that_breaks_the_session(void **state)
{
    run r = {0};
    p3_evidence e = {.status = POP3_ERR_CLOSED,
                     .stage = P3_STAGE_RETRIEVAL,
                     .answered = MANY,
                     .deletes = 9,
                     .deleted = 8,
                     .deleting = 7};
    (void)state;
    assert_true(end_by(&r, e));
    e.deleting = 9; /* another message, after as many */
    assert_true(end_by(&r, e));
    assert_int_equal(r.learned.quit_after, 4);
    assert_int_equal(r.trust.postponed.count, 0);
    assert_int_equal(r.trust.blame, P3_BLAME_SERVER);
}

static void a_server_that_takes_no_deletion_is_not_asked_for_each_message(void **state)
{
    run r = {0};
    p3_evidence e = {
        .status = POP3_ERR_CLOSED, .stage = P3_STAGE_RETRIEVAL, .answered = MANY, .deletes = 1};
    (void)state;
    for (e.deleting = 1; !r.trust.postponed.all; e.deleting++)
        assert_true(end_by(&r, e));
    assert_int_equal(e.deleting - 1, P3_POSTPONED_IN_VAIN);
    r = (run){.trust.postponed.answered = true};
    for (e.deleting = 1; !r.trust.postponed.all; e.deleting++)
        assert_true(end_by(&r, e));
    assert_int_equal(e.deleting - 1, P3_POSTPONED_MOST + 1);
}

static void care_is_raised_and_never_lowered(void **state)
{
    p3_trust t = {0};
    (void)state;
    p3_trust_raise(&t, P3_CAUTION_STEPS);
    p3_trust_raise(&t, P3_CAUTION_TROUBLE);
    assert_int_equal(t.caution, P3_CAUTION_STEPS);
    assert_true(p3_trust_goes_in_steps(&t));
}

static void a_server_that_ends_each_visit_after_a_few_commands_is_treated_frugally(void **state)
{
    run r = {.trust = {.one_at_a_time = P3_ONE_AT_A_TIME_CLOSE}};
    p3_evidence e = {.status = POP3_ERR_CLOSED,
                     .stage = P3_STAGE_HEADERS,
                     .answered = 6,
                     .mechanism = "USER",
                     .none_in_run = true};
    (void)state;
    (void)end_by(&r, e);
    assert_false(r.trust.frugal);
    e.stage = P3_STAGE_RETRIEVAL; /* after as many answers, at something else */
    assert_true(end_by(&r, e));
    assert_true(r.trust.frugal);
    assert_string_equal(r.trust.mechanism, "USER");
    const char *advice = p3_trust_advice(&r.trust, &r.trust, &e, false);
    assert_non_null(advice);
    assert_non_null(strstr(advice, "--utf8 off"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_falls_silent_is_asked_one_thing_at_a_time),
        cmocka_unit_test(silence_teaches_nothing_where_no_commands_went_together),
        cmocka_unit_test(a_message_at_which_it_hangs_up_twice_is_set_aside),
        cmocka_unit_test(
            a_new_message_at_whose_header_it_breaks_is_looked_at_by_retr_and_then_set_aside),
        cmocka_unit_test(no_more_messages_are_set_aside_than_there_is_room_for),
        cmocka_unit_test(uidl_is_left_out_where_it_closes_at_it),
        cmocka_unit_test(uidl_is_left_out_where_it_makes_no_sense_once_commands_go_one_at_a_time),
        cmocka_unit_test(list_is_left_out_where_it_ends_a_visit_that_can_do_without),
        cmocka_unit_test(what_was_refused_before_it_closed_is_left_out),
        cmocka_unit_test(a_login_that_it_closes_is_to_be_tried_by_another_mechanism),
        cmocka_unit_test(quit_comes_after_half_as_many_deletions_where_it_closes_before),
        cmocka_unit_test(quit_that_is_never_answered_is_tried_after_fewer_deletions),
        cmocka_unit_test(a_message_whose_deletion_breaks_the_session_is_postponed_and_then_kept),
        cmocka_unit_test(
            a_message_whose_deletion_broke_a_session_of_an_earlier_run_is_kept_at_once),
        cmocka_unit_test(
            a_server_that_counts_deletions_is_told_from_a_message_that_breaks_the_session),
        cmocka_unit_test(a_server_that_takes_no_deletion_is_not_asked_for_each_message),
        cmocka_unit_test(care_is_raised_and_never_lowered),
        cmocka_unit_test(a_server_that_ends_each_visit_after_a_few_commands_is_treated_frugally),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
