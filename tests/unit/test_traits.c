/* What is peculiar about servers: the words, and sets of them. */
#include "spans.h"

#include <pop3/traits.h>

static pop3_server_traits traits_of(const char *text)
{
    pop3_server_traits t = {0};
    assert_true(pop3_server_traits_read(&t, text));
    return t;
}

static void words_become_traits_and_traits_words(void **state)
{
    (void)state;
    static const char all[] = "no-capa, no-late-capa, no-apop, binds-unique, no-initial-response, "
                              "one-at-a-time, no-uidl, no-top, quit-after=4294967295";
    char text[POP3_TRAITS_TEXT];
    pop3_server_traits t = traits_of(all);
    assert_int_equal(t.flags, 255);
    assert_int_equal(t.quit_after, UINT32_MAX);
    assert_int_equal(pop3_server_traits_write(&t, text, sizeof text), sizeof all - 1);
    assert_string_equal(text, all);
    assert_true(pop3_server_traits_empty(traits_of("")));
    assert_true(pop3_server_traits_empty(traits_of(" ,, ")));
    t = traits_of("No-TOP\tquit-after=12");
    assert_int_equal(t.flags, POP3_TRAIT_NO_TOP);
    assert_int_equal(t.quit_after, 12);
    assert_int_equal(pop3_server_traits_write(NULL, text, sizeof text), 0);
    assert_string_equal(text, "");
}

static void every_trait_has_a_word_that_is_read_again(void **state)
{
    (void)state;
    size_t found = 0;
    for (uint32_t bit = 1; bit != 0; bit <<= 1) {
        const char *name = pop3_trait_name((pop3_trait)bit);
        if (name == NULL)
            continue;
        found++;
        assert_int_equal(traits_of(name).flags, bit);
    }
    assert_int_equal(found, 8);
    assert_null(pop3_trait_name((pop3_trait)3));
}

static void what_is_no_trait_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {"capa",        "no-capa no-such", "quit-after",
                                      "quit-after=", "quit-after=0",    "quit-after=-1",
                                      "no-capa;",    "quit-after=1x",   "quit-after=4294967296"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pop3_server_traits t = {.flags = POP3_TRAIT_NO_UIDL, .quit_after = 3};
        assert_false(pop3_server_traits_read(&t, bad[i]));
        assert_int_equal(t.flags, POP3_TRAIT_NO_UIDL);
        assert_int_equal(t.quit_after, 3);
    }
}

static void a_text_that_does_not_fit_is_cut_and_its_length_told(void **state)
{
    (void)state;
    pop3_server_traits t = traits_of("no-capa, no-top");
    for (size_t size = 0; size <= 20; size++) {
        char text[24] = "......................";
        assert_int_equal(pop3_server_traits_write(&t, text, size), 15);
        if (size > 0)
            assert_int_equal(strlen(text), size > 15 ? 15 : size - 1);
        assert_int_equal(text[size > 16 ? 16 : size], '.');
    }
}

static void of_two_limits_the_smaller_counts(void **state)
{
    (void)state;
    pop3_server_traits t = {0};
    pop3_server_traits_add(&t, traits_of("quit-after=12"));
    pop3_server_traits_add(&t, traits_of("no-top, quit-after=20"));
    assert_int_equal(t.quit_after, 12);
    assert_int_equal(t.flags, POP3_TRAIT_NO_TOP);
    pop3_server_traits more =
        pop3_server_traits_beyond(traits_of("no-top, no-capa, quit-after=20"), t);
    assert_int_equal(more.flags, POP3_TRAIT_NO_CAPA);
    assert_int_equal(more.quit_after, 0);
    assert_int_equal(pop3_server_traits_beyond(traits_of("quit-after=5"), t).quit_after, 5);
    assert_int_equal(pop3_server_traits_beyond(traits_of("quit-after=5"), traits_of("")).quit_after,
                     5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_traits_and_traits_words),
        cmocka_unit_test(every_trait_has_a_word_that_is_read_again),
        cmocka_unit_test(what_is_no_trait_is_refused_and_changes_nothing),
        cmocka_unit_test(a_text_that_does_not_fit_is_cut_and_its_length_told),
        cmocka_unit_test(of_two_limits_the_smaller_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
