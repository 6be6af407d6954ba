/* Settings: values, units, the nearest right name, what is inherited. */
#include "unit.h"

#include <string.h>
#include <sysexits.h>

#include "cli/account.h"
#include "cli/settings.h"

static void sizes_and_times_have_units(void **state)
{
    uint64_t size;
    int64_t ms;
    (void)state;
    assert_true(p3_value_size("50M", &size) && size == 52428800);
    assert_true(p3_value_size("7", &size) && size == 7);
    assert_true(p3_value_size("2gb", &size) && size == UINT64_C(2147483648));
    assert_false(p3_value_size("", &size));
    assert_false(p3_value_size("5X", &size));
    assert_false(p3_value_size("-5", &size));
    assert_false(p3_value_size("99999999999999999999", &size));
    assert_false(p3_value_size("9999999999999G", &size));
    assert_true(p3_value_time_ms("14d", &ms) && ms == INT64_C(1209600000));
    assert_true(p3_value_time_ms("5", &ms) && ms == 5000);
    assert_true(p3_value_time_ms("250ms", &ms) && ms == 250);
    assert_false(p3_value_time_ms("5 m", &ms));
}

static void the_nearest_name_is_offered_for_a_mistake(void **state)
{
    (void)state;
    assert_string_equal(p3_setting_nearest("maildirr"), "maildir");
    assert_string_equal(p3_setting_nearest("pasword-file"), "password-file");
    assert_string_equal(p3_setting_nearest("max_size"), "max-size");
    assert_null(p3_setting_nearest("zebra-stripes"));
}

static void set(p3_settings *s, const char *name, const char *value)
{
    p3_problem why = {0};
    if (!p3_setting_set(s, p3_setting_find(name), value, &why))
        fail_msg("%s", why.text);
}

static void what_is_set_is_not_inherited_nor_what_stands_for_it(void **state)
{
    p3_settings ours = {0};
    p3_settings theirs = {0};
    (void)state;
    set(&ours, "user", "me");
    set(&ours, "mbox", "/m");
    set(&theirs, "user", "them");
    set(&theirs, "host", "h");
    set(&theirs, "maildir", "/d");
    set(&theirs, "password-file", "/p");
    assert_true(p3_settings_inherit(&ours, &theirs));
    assert_string_equal(ours.user, "me");
    assert_string_equal(ours.host, "h");
    assert_string_equal(ours.password_file, "/p");
    assert_null(ours.maildir);
    p3_settings_free(&ours);
    p3_settings_free(&theirs);
}

static void a_secret_is_not_repeated_in_a_complaint(void **state)
{
    p3_settings s = {0};
    p3_problem why = {0};
    (void)state;
    assert_false(p3_setting_set(&s, p3_setting_find("password"), "sec\nret", &why));
    assert_null(strstr(why.text, "sec"));
    assert_int_equal(why.exit, EX_CONFIG);
}

static void expect_key(const char *url, const char *key, const char *name)
{
    p3_settings s = {0};
    p3_local_account a = {0};
    p3_problem why = {0};
    set(&s, "url", url);
    if (!p3_local_account_make(&a, &s, false, &why))
        fail_msg("%s", why.text);
    assert_string_equal(a.account.key, key);
    assert_string_equal(a.account.name, name);
    p3_local_account_free(&a);
}

static void an_account_is_the_same_one_by_stls_and_by_tls(void **state)
{
    (void)state;
    expect_key("pop3://Ann@Mail.example.org/", "Ann@mail.example.org:995",
               "Ann@mail.example.org:110");
    expect_key("pop3s://Ann@mail.example.org/", "Ann@mail.example.org:995",
               "Ann@mail.example.org:995");
    expect_key("pop3://Ann@mail.example.org:2110/", "Ann@mail.example.org:2110",
               "Ann@mail.example.org:2110");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_and_times_have_units),
        cmocka_unit_test(the_nearest_name_is_offered_for_a_mistake),
        cmocka_unit_test(what_is_set_is_not_inherited_nor_what_stands_for_it),
        cmocka_unit_test(a_secret_is_not_repeated_in_a_complaint),
        cmocka_unit_test(an_account_is_the_same_one_by_stls_and_by_tls),
    };
    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
