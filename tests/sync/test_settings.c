/* Settings: values, units, the nearest right name, what is inherited. */
#include "unit.h"

#include <string.h>
#include <sysexits.h>

#include "cli/account.h"
#include "settings/settings.h"
#include "settings/values.h"

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
    assert_string_equal(p3_setting_nearest("maildirr", P3_PLACE_BOTH), "maildir");
    assert_string_equal(p3_setting_nearest("pasword-file", P3_PLACE_BOTH), "password-file");
    assert_string_equal(p3_setting_nearest("max_size", P3_PLACE_BOTH), "max-size");
    assert_null(p3_setting_nearest("zebra-stripes", P3_PLACE_BOTH));
}

static void set(p3_settings *s, const char *name, const char *value)
{
    p3_problem why = {0};
    if (!p3_setting_set(s, NULL, p3_setting_find(name, P3_PLACE_FILE), value, &why))
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
    assert_true(ours.is_set[P3_SETTING_MBOX] && !ours.is_set[P3_SETTING_MAILDIR]);
    assert_string_equal(ours.mbox.where, "/m");
    p3_settings_free(&ours);
    p3_settings_free(&theirs);
}

static void a_secret_is_not_repeated_in_a_complaint(void **state)
{
    p3_settings s = {0};
    p3_problem why = {0};
    (void)state;
    assert_false(
        p3_setting_set(&s, NULL, p3_setting_find("password", P3_PLACE_FILE), "sec\nret", &why));
    assert_null(strstr(why.text, "sec"));
    assert_int_equal(why.exit, EX_CONFIG);
}

static void a_value_is_read_once_into_a_typed_field(void **state)
{
    p3_settings s = {0};
    p3_settings copy = {0};
    (void)state;
    set(&s, "port", "2110");
    set(&s, "tls", "stls");
    set(&s, "timeout", "90s");
    set(&s, "received", "ON");
    set(&s, "max-size", "2M");
    set(&s, "remove", "14d");
    set(&s, "traits", "none,no-capa,quit-after=12");
    set(&s, "proxy", "socks5://proxy.example:1081");
    set(&s, "url", "pop3s://ann:x@mail.example.org:996/");
    set(&s, "maildir", "/var/mail/ann/");
    assert_true(p3_settings_inherit(&copy, &s));
    p3_settings_free(&s);
    assert_int_equal(copy.port, 2110);
    assert_int_equal(copy.tls, POP3_SECURITY_STLS);
    assert_int_equal(copy.timeout, 90000);
    assert_true(copy.received);
    assert_int_equal(copy.max_size, 2097152);
    assert_int_equal(copy.remove.when, P3_REMOVE_AFTER);
    assert_int_equal(copy.remove.after, 14 * 86400);
    assert_true(copy.traits.forget);
    assert_int_equal(copy.traits.traits.flags, POP3_TRAIT_NO_CAPA);
    assert_int_equal(copy.traits.traits.quit_after, 12);
    assert_int_equal(copy.proxy.kind, POP3_PROXY_SOCKS5);
    assert_string_equal(copy.proxy.host, "proxy.example");
    assert_int_equal(copy.proxy.port, 1081);
    assert_string_equal(copy.url.password, "x");
    assert_int_equal(copy.maildir.kind, P3_TARGET_MAILDIR);
    p3_settings_free(&copy);
}

static void a_value_that_cannot_be_used_changes_nothing(void **state)
{
    p3_settings s = {0};
    p3_problem why = {0};
    (void)state;
    set(&s, "port", "2110");
    assert_false(p3_setting_set(&s, NULL, p3_setting_find("port", P3_PLACE_FILE), "0", &why));
    assert_string_equal(why.text, "port: \"0\" cannot be used; expected: a number from 1 to 65535");
    assert_int_equal(s.port, 2110);
    set(&s, "mbox", "/m");
    set(&s, "mbox", "/n"); /* the last one of a setting counts */
    assert_string_equal(s.mbox.where, "/n");
    p3_settings_free(&s);
}

static void of_several_targets_it_is_said_which_are_delivered_to(void **state)
{
    static const char *const wrong[] = {"",        "imap,",      ",imap",     "imap maildir",
                                        "nothing", "imap,,mbox", "mbox, mbox"};
    p3_settings s = {0};
    p3_settings own = {0};
    p3_settings chosen = {0};
    p3_problem why = {0};
    p3_target at[P3_TARGETS_MOST];
    (void)state;
    set(&s, "mbox", "/m");
    assert_int_equal(p3_settings_targets(&s, at), 1);
    set(&s, "maildir", "/d");
    assert_false(p3_settings_choose_one(&s, &why));
    assert_non_null(strstr(why.text, "more than one target: choose one of "));
    set(&s, "deliver", "maildir ,mbox");
    assert_true(p3_settings_choose_one(&s, &why));
    assert_null(p3_settings_lack(&s));
    assert_int_equal(p3_settings_targets(&s, at), 2);
    assert_string_equal(at[0].where, "/d");
    assert_string_equal(at[1].where, "/m");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(
            p3_setting_set(&s, NULL, p3_setting_find("deliver", P3_PLACE_FILE), wrong[i], &why));
    /* Who sets a target inherits neither targets nor the choice; who chooses inherits targets. */
    set(&own, "mbox", "/own");
    assert_true(p3_settings_inherit(&own, &s));
    assert_int_equal(p3_settings_targets(&own, at), 1);
    assert_false(own.is_set[P3_SETTING_DELIVER]);
    set(&chosen, "deliver", "maildir");
    assert_true(p3_settings_inherit(&chosen, &s));
    assert_int_equal(p3_settings_targets(&chosen, at), 1);
    assert_string_equal(at[0].where, "/d");
    set(&own, "deliver", "imap, mbox");
    assert_string_equal(p3_settings_lack(&own)->name, "imap");
    assert_true(p3_settings_override(&s, &chosen));
    assert_int_equal(p3_settings_targets(&s, at), 1);
    p3_settings_free(&s);
    p3_settings_free(&own);
    p3_settings_free(&chosen);
}

static void what_is_not_set_has_its_preset_value(void **state)
{
    p3_settings s = {0};
    p3_run_settings run = {0};
    p3_problem why = {0};
    (void)state;
    set(&s, "utf8", "off");
    p3_settings_preset(&s);
    assert_false(s.utf8);
    assert_true(s.initial_response);
    assert_int_equal(s.message_limit, UINT64_C(4) << 30);
    p3_run_settings_preset(&run);
    assert_true(run.sandbox && !run.is_set[P3_SETTING_SANDBOX]);
    const p3_setting *off = p3_setting_find("no-sandbox", P3_PLACE_COMMAND);
    assert_true(p3_setting_set(NULL, &run, off, "yes", &why));
    assert_false(run.sandbox);
    assert_int_equal(run.retry_wait, 5000);
    p3_run_settings_free(&run);
    p3_settings_free(&s);
}

static void expect_key(const char *url, const char *key, const char *name)
{
    p3_settings s = {0};
    p3_local_account a = {0};
    p3_tls_shared shared = {0};
    p3_problem why = {0};
    set(&s, "url", url);
    if (!p3_local_account_make(&a, &s, &shared, false, &why))
        fail_msg("%s", why.text);
    assert_string_equal(a.account.key, key);
    assert_string_equal(a.account.name, name);
    p3_local_account_free(&a);
    p3_tls_shared_free(&shared);
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

static void accounts_share_what_they_trust_where_they_say_the_same(void **state)
{
    static const char *const settings[][2] = {
        {NULL, NULL},
        {NULL, NULL},
        {"server-name", "mail.example.org"},
        {"tls-min", "1.3"},
        {"tls-min", "1.3"},
        {"pin", "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
        {"host", "pop.example.org"}};
    static const size_t same_as[] = {0, 0, 2, 3, 3, 5, 0};
    enum { count = sizeof same_as / sizeof *same_as };
    p3_local_account accounts[count] = {0};
    p3_tls_shared shared = {0};
    p3_problem why = {0};
    (void)state;
    for (size_t i = 0; i < count; i++) {
        p3_settings s = {0};
        set(&s, "url", "pop3s://ann@mail.example.org/");
        if (settings[i][0] != NULL)
            set(&s, settings[i][0], settings[i][1]);
        if (!p3_local_account_make(&accounts[i], &s, &shared, false, &why))
            fail_msg("%s", why.text);
        for (size_t k = 0; k <= i; k++)
            assert_int_equal(accounts[i].account.connection.tls ==
                                 accounts[k].account.connection.tls,
                             same_as[i] == same_as[k]);
    }
    assert_int_equal(shared.count, 4);
    for (size_t i = 0; i < count; i++)
        p3_local_account_free(&accounts[i]);
    p3_tls_shared_free(&shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_and_times_have_units),
        cmocka_unit_test(the_nearest_name_is_offered_for_a_mistake),
        cmocka_unit_test(what_is_set_is_not_inherited_nor_what_stands_for_it),
        cmocka_unit_test(a_secret_is_not_repeated_in_a_complaint),
        cmocka_unit_test(a_value_is_read_once_into_a_typed_field),
        cmocka_unit_test(a_value_that_cannot_be_used_changes_nothing),
        cmocka_unit_test(of_several_targets_it_is_said_which_are_delivered_to),
        cmocka_unit_test(what_is_not_set_has_its_preset_value),
        cmocka_unit_test(accounts_share_what_they_trust_where_they_say_the_same),
        cmocka_unit_test(an_account_is_the_same_one_by_stls_and_by_tls),
    };
    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
