/* Header fields as people read them. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "cli/mail_date.h"
#include "cli/rfc2047.h"

static void check(const char *field, const char *expected)
{
    char *text = p3_rfc2047_decode(field, strlen(field));
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

static void encoded_words_are_decoded_in_any_character_set(void **state)
{
    (void)state;
    check("plain text", "plain text");
    check("=?utf-8?Q?Caf=C3=A9?=", "Café");
    check("=?ISO-8859-1?Q?Andr=E9?= Pirard", "André Pirard");
    check("=?utf-8?B?5Lqs6YO9?=", "京都");
    check("=?iso-2022-jp?B?GyRCNX5FVBsoQg==?=", "京都");
    check("=?US-ASCII*en?Q?Keith_Moore?=", "Keith Moore");
    check("=?koi8-r?b?8NLJ18XU?=", "Привет");
    check("a =?utf-8?q?b?= c", "a b c");
}

static void blanks_between_encoded_words_do_not_count(void **state)
{
    (void)state;
    check("=?utf-8?q?a?= =?utf-8?q?b?=", "ab");
    check("=?utf-8?q?a?=\r\n =?utf-8?q?b?=", "ab");
    check("=?utf-8?q?a_?= =?utf-8?q?b?=", "a b");
    check("=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b");
}

static void a_character_cut_between_two_words_is_whole_again(void **state)
{
    (void)state;
    check("=?utf-8?B?5Lo=?= =?utf-8?B?rOmDvQ==?=", "京都");
    check("=?utf-8?Q?=C3?= =?utf-8?Q?=A9?=", "é");
    check("=?utf-8?Q?=C3=A9?= =?iso-8859-1?Q?=E9?=", "éé");
}

static void what_is_not_encoded_rightly_stays_as_it_is(void **state)
{
    (void)state;
    check("=?utf-8?q?never ended", "=?utf-8?q?never ended");
    check("=?utf-8?x?abc?=", "=?utf-8?x?abc?=");
    check("=?", "=?");
    check("=?=?=?=?=", "=?=?=?=?=");
    check("=?no-such-set?q?abc?=", "abc");
    check("=?utf-8?q?50=25_=ZZ?=", "50% =ZZ");
    check("", "");
}

static void raw_octets_are_utf8_or_windows_1252(void **state)
{
    (void)state;
    check("Caf\xc3\xa9", "Café");
    check("Caf\xe9 \x80", "Café €");
}

static void folded_lines_are_joined_and_nothing_can_command_a_terminal(void **state)
{
    (void)state;
    check("one\r\n two\r\n\tthree", "one two three");
    check("=?utf-8?q?=1B[31mred=07=00?=", "[31mred");
    check("a\xc2\x9b"
          "b",
          "a b");
    check("=?utf-8?b?4oCudHh0?=", "txt"); /* right-to-left override */
}

static void date(const char *field, const char *expected)
{
    char text[P3_DATE_TEXT];
    assert_string_equal(p3_mail_date_text(field, text), expected);
}

static void dates_are_shown_in_local_time(void **state)
{
    (void)state;
    assert_int_equal(setenv("TZ", "UTC", 1), 0);
    date("Mon, 23 Nov 2026 07:39:05 +0000", "2026-11-23 07:39");
    date("23 Nov 2026 07:39:05 +0130", "2026-11-23 06:09");
    date("Mon, 23 Nov 2026 07:39 -0800 (PST)", "2026-11-23 15:39");
    date("Mon, 23 Nov 26 07:39:05 EST", "2026-11-23 12:39");
    date("yesterday evening or so", "yesterday evenin");
    date("", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoded_words_are_decoded_in_any_character_set),
        cmocka_unit_test(blanks_between_encoded_words_do_not_count),
        cmocka_unit_test(a_character_cut_between_two_words_is_whole_again),
        cmocka_unit_test(what_is_not_encoded_rightly_stays_as_it_is),
        cmocka_unit_test(raw_octets_are_utf8_or_windows_1252),
        cmocka_unit_test(folded_lines_are_joined_and_nothing_can_command_a_terminal),
        cmocka_unit_test(dates_are_shown_in_local_time),
    };
    return cmocka_run_group_tests_name("rfc2047", tests, NULL, NULL);
}
