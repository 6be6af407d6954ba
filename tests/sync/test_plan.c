/* What to do with each message, given what is known: read as a table of unique-ids. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "collect/plan.h"

static p3_fingerprint print_of(const char *message)
{
    char header[80];
    snprintf(header, sizeof header, "Subject: %s\n\n", message);
    return p3_fingerprint_of(header, strlen(header));
}

static pop3_str span(const char *text)
{
    return (pop3_str){text, strlen(text)};
}

static void add_row(p3_rows *rows, const char *uid, p3_standing standing, const char *message)
{
    if (rows->next_id == 0)
        rows->next_id = 1;
    uint32_t i = p3_rows_add(rows, span(uid));
    assert_int_not_equal(i, P3_NO_ROW);
    rows->at[i].standing = standing;
    if (message != NULL)
        rows->at[i].fingerprint = print_of(message);
}

static void add_mail(p3_listing *box, const char *uid)
{
    assert_true(p3_listing_add(box, (uint32_t)box->count + 1, span(uid)));
}

/* The plan as letters: T take, K keep, L look, - leave alone. */
static void expect(const p3_listing *box, const char *letters)
{
    char found[32] = "";
    for (size_t i = 0; i < box->count; i++)
        found[i] = "-LTK"[box->at[i].todo];
    assert_string_equal(found, letters);
}

static void finish(p3_plan *plan, p3_listing *box, p3_rows *rows)
{
    p3_plan_free(plan);
    p3_listing_free(box);
    p3_rows_free(rows);
}

static void look(p3_listing *box, size_t i, p3_fingerprint print)
{
    assert_true(p3_listing_set_look(box, i, (p3_look){.print = print, .distinctive = true}));
}

static void known_unique_ids_are_kept_and_new_ones_taken(void **state)
{
    p3_rows rows = {0};
    p3_listing box = {0};
    p3_plan plan;
    (void)state;
    add_row(&rows, "b", P3_DELIVERED, "b");
    add_row(&rows, "gone", P3_DELIVERED, "x");
    add_row(&rows, "c", P3_INTENT, NULL);
    add_mail(&box, "a");
    add_mail(&box, "b");
    add_mail(&box, "c");
    assert_true(p3_listing_seal(&box));
    assert_true(p3_plan_make(&plan, &box, &rows));
    expect(&box, "TKT");
    assert_int_equal(box.at[0].row, P3_NO_ROW);
    assert_int_equal(box.at[2].row, 2); /* its intent is used again */
    assert_true(plan.claimed[0] && !plan.claimed[1]);
    finish(&plan, &box, &rows);
}

static void what_is_doubtful_is_looked_at(void **state)
{
    p3_rows rows = {0};
    p3_listing box = {0};
    p3_plan plan;
    (void)state;
    add_row(&rows, "sure", P3_DELIVERED, "sure");
    add_row(&rows, "leaving", P3_LEAVING, "same");
    add_row(&rows, "again", P3_GONE, "old");
    add_row(&rows, "back", P3_GONE, "back");
    add_row(&rows, "twice", P3_DELIVERED, "first");
    add_mail(&box, "sure");
    add_mail(&box, "leaving");
    add_mail(&box, "again");
    add_mail(&box, "back");
    add_mail(&box, "twice");
    add_mail(&box, "twice");
    assert_true(p3_listing_seal(&box));
    assert_true(p3_plan_make(&plan, &box, &rows));
    expect(&box, "KLLLLL");
    assert_int_equal(plan.looks, 5);
    look(&box, 1, print_of("same"));
    look(&box, 2, print_of("new"));
    look(&box, 3, print_of("back"));
    look(&box, 4, print_of("second"));
    look(&box, 5, print_of("first"));
    assert_true(p3_plan_resolve(&plan, &box, &rows));
    expect(&box, "KKTKTK");
    finish(&plan, &box, &rows);
}

static void what_was_delivered_out_of_step_is_looked_at(void **state)
{
    p3_rows rows = {0};
    p3_listing box = {0};
    p3_plan plan;
    (void)state;
    add_row(&rows, "right", P3_DOUBTED, "right");
    add_row(&rows, "wrong", P3_DOUBTED, "another");
    add_row(&rows, "unknown", P3_DOUBTED, NULL);
    add_mail(&box, "right");
    add_mail(&box, "wrong");
    add_mail(&box, "unknown");
    assert_true(p3_listing_seal(&box));
    assert_true(p3_plan_make(&plan, &box, &rows));
    expect(&box, "LLL");
    look(&box, 0, print_of("right"));
    look(&box, 1, print_of("wrong"));
    look(&box, 2, print_of("unknown"));
    assert_true(p3_plan_resolve(&plan, &box, &rows));
    expect(&box, "KTT");
    finish(&plan, &box, &rows);
}

static void what_was_passed_over_is_kept_as_long_as_its_unique_id_tells_it(void **state)
{
    p3_rows rows = {0};
    p3_listing box = {0};
    p3_plan plan;
    (void)state;
    add_row(&rows, "seen", P3_PASSED_OVER, NULL);
    add_row(&rows, "other size", P3_PASSED_OVER, NULL);
    add_row(&rows, "twice", P3_PASSED_OVER, NULL);
    rows.at[1].octets = 7;
    add_mail(&box, "seen");
    add_mail(&box, "other size");
    add_mail(&box, "twice");
    add_mail(&box, "twice");
    add_mail(&box, "new");
    assert_true(p3_listing_seal(&box));
    box.at[1].octets = 8;
    assert_true(p3_plan_make(&plan, &box, &rows));
    expect(&box, "KLLLT");
    for (size_t i = 1; i < 4; i++)
        look(&box, i, print_of("any"));
    assert_true(p3_plan_resolve(&plan, &box, &rows));
    expect(&box, "KTTTT"); /* rather delivered than lost */
    finish(&plan, &box, &rows);
}

static void what_unique_ids_do_not_tell_apart_is_looked_at_before_it_is_passed_over(void **state)
{
    p3_rows rows = {0};
    p3_listing box = {0};
    p3_plan plan;
    (void)state;
    add_row(&rows, "known", P3_DELIVERED, "known");
    add_row(&rows, "", P3_INTENT, NULL);
    add_mail(&box, "known");
    add_mail(&box, "new");
    add_mail(&box, "twice");
    add_mail(&box, "twice");
    add_mail(&box, "");
    assert_true(p3_listing_seal(&box));
    assert_true(p3_plan_make(&plan, &box, &rows));
    assert_true(p3_plan_doubt(&plan, &box, &rows));
    expect(&box, "KTLLL");
    assert_int_equal(plan.looks, 3);
    look(&box, 2, print_of("a"));
    look(&box, 3, print_of("b"));
    look(&box, 4, print_of("c"));
    assert_true(p3_plan_resolve(&plan, &box, &rows));
    expect(&box, "KTTTT");
    assert_int_equal(box.at[4].row, 1); /* its intent is used again */
    finish(&plan, &box, &rows);
}

static void a_message_that_is_listed_twice_counts_once(void **state)
{
    p3_rows rows = {0};
    p3_listing box = {0};
    p3_plan plan;
    (void)state;
    static const struct {
        uint32_t number;
        const char *uid;
    } listing[] = {{7, "g"}, {2, "b"}, {2, "x"}, {9, "i"}, {7, "y"}, {2, "z"}, {1, "a"}};
    for (size_t i = 0; i < sizeof listing / sizeof listing[0]; i++)
        assert_true(p3_listing_add(&box, listing[i].number, span(listing[i].uid)));
    assert_true(p3_listing_seal(&box));
    assert_int_equal(box.count, 4);
    char uids[5] = "";
    for (size_t i = 0; i < box.count; i++)
        uids[i] = box.at[i].uid.data[0];
    assert_string_equal(uids, "gbia");
    assert_true(p3_plan_make(&plan, &box, &rows));
    expect(&box, "TTTT");
    finish(&plan, &box, &rows);
}

static void without_unique_ids_everything_known_is_told_by_its_header(void **state)
{
    p3_rows rows = {0};
    p3_listing box = {0};
    p3_plan plan;
    (void)state;
    add_row(&rows, "", P3_DELIVERED, "one");
    add_row(&rows, "", P3_DELIVERED, "two");
    for (int i = 0; i < 4; i++)
        add_mail(&box, "");
    assert_true(p3_listing_seal(&box));
    assert_true(p3_plan_make(&plan, &box, &rows));
    expect(&box, "LLLL");
    look(&box, 0, print_of("two"));
    look(&box, 1, print_of("three"));
    look(&box, 2, print_of("one"));
    look(&box, 3, print_of("one")); /* a copy of it */
    assert_true(p3_plan_resolve(&plan, &box, &rows));
    expect(&box, "KTKT");
    finish(&plan, &box, &rows);
}

static void when_all_known_messages_are_missing_new_ones_may_be_them(void **state)
{
    p3_rows rows = {0};
    p3_listing box = {0};
    p3_plan plan;
    (void)state;
    add_row(&rows, "1", P3_DELIVERED, "one");
    add_row(&rows, "2", P3_DELIVERED, "two");
    add_mail(&box, "x");
    add_mail(&box, "y");
    assert_true(p3_listing_seal(&box));
    assert_true(p3_plan_make(&plan, &box, &rows));
    assert_true(plan.renumbered);
    expect(&box, "LL");
    look(&box, 0, print_of("two"));
    look(&box, 1, print_of("three"));
    assert_true(p3_plan_resolve(&plan, &box, &rows));
    expect(&box, "KT");
    assert_int_equal(box.at[0].row, 1);
    finish(&plan, &box, &rows);
}

static void messages_that_had_no_unique_ids_are_known_when_they_get_some(void **state)
{
    p3_rows rows = {0};
    p3_listing box = {0};
    p3_plan plan;
    (void)state;
    add_row(&rows, "", P3_DELIVERED, "one");
    add_row(&rows, "", P3_DELIVERED, "two");
    add_mail(&box, "x");
    add_mail(&box, "y");
    add_mail(&box, "z");
    assert_true(p3_listing_seal(&box));
    assert_true(p3_plan_make(&plan, &box, &rows));
    expect(&box, "LLL");
    look(&box, 0, print_of("one"));
    look(&box, 1, print_of("two"));
    look(&box, 2, print_of("three"));
    assert_true(p3_plan_resolve(&plan, &box, &rows));
    expect(&box, "KKT");
    finish(&plan, &box, &rows);
}

static void a_message_that_could_not_be_looked_at_is_left_alone(void **state)
{
    p3_rows rows = {0};
    p3_listing box = {0};
    p3_plan plan;
    (void)state;
    add_row(&rows, "a", P3_LEAVING, "a");
    add_mail(&box, "a");
    assert_true(p3_listing_seal(&box));
    assert_true(p3_plan_make(&plan, &box, &rows));
    assert_true(p3_plan_resolve(&plan, &box, &rows));
    expect(&box, "-");
    finish(&plan, &box, &rows);
}

/* ---- fingerprints ---- */

static void a_fingerprint_does_not_depend_on_line_ends_nor_on_the_server_s_own_fields(void **state)
{
    static const char lf[] = "From: a\nSubject: b\n c\n\n";
    static const char crlf[] =
        "From: a\r\nStatus: RO\r\nX-UIDL: 7\r\n more\r\nSubject: b\r\n c\r\n\r\n";
    static const char other[] = "From: a\nSubject: b\n d\n\n";
    (void)state;
    p3_fingerprint a = p3_fingerprint_of(lf, strlen(lf));
    p3_fingerprint b = p3_fingerprint_of(crlf, strlen(crlf));
    p3_fingerprint c = p3_fingerprint_of(other, strlen(other));
    assert_true(p3_fingerprint_equal(&a, &b));
    assert_false(p3_fingerprint_equal(&a, &c));
    assert_true(p3_fingerprint_known(&a));
}

static void a_header_is_the_same_however_it_is_cut(void **state)
{
    static const char text[] = "A: 1\r\nB: 2\r\n\r\nbody\r\n\r\n";
    (void)state;
    for (size_t cut = 0; cut < strlen(text); cut++) {
        p3_header h = {0};
        p3_header_take(&h, text, cut);
        p3_header_take(&h, text + cut, strlen(text) - cut);
        assert_true(h.done);
        assert_int_equal(h.len, 14);
        assert_memory_equal(h.data, text, 14);
        p3_header_free(&h);
    }
}

static void a_header_without_end_costs_no_more_than_its_bound(void **state)
{
    char line[1000];
    p3_header h = {0};
    (void)state;
    memset(line, 'x', sizeof line);
    for (int i = 0; i < 1000; i++)
        p3_header_take(&h, line, sizeof line);
    assert_true(h.done);
    assert_int_equal(h.len, P3_HEADER_MOST);
    p3_header_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_unique_ids_are_kept_and_new_ones_taken),
        cmocka_unit_test(what_is_doubtful_is_looked_at),
        cmocka_unit_test(what_was_delivered_out_of_step_is_looked_at),
        cmocka_unit_test(what_was_passed_over_is_kept_as_long_as_its_unique_id_tells_it),
        cmocka_unit_test(what_unique_ids_do_not_tell_apart_is_looked_at_before_it_is_passed_over),
        cmocka_unit_test(a_message_that_is_listed_twice_counts_once),
        cmocka_unit_test(without_unique_ids_everything_known_is_told_by_its_header),
        cmocka_unit_test(when_all_known_messages_are_missing_new_ones_may_be_them),
        cmocka_unit_test(messages_that_had_no_unique_ids_are_known_when_they_get_some),
        cmocka_unit_test(a_message_that_could_not_be_looked_at_is_left_alone),
        cmocka_unit_test(a_fingerprint_does_not_depend_on_line_ends_nor_on_the_server_s_own_fields),
        cmocka_unit_test(a_header_is_the_same_however_it_is_cut),
        cmocka_unit_test(a_header_without_end_costs_no_more_than_its_bound),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
