/* Header fields as people read them. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/mail_date.h"
#include "support/rfc2047.h"
#include "cli/size_text.h"

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

static void octets_that_are_no_utf8_are_replaced_or_taken_for_windows_1252(void **state)
{
    (void)state;
    check("=?utf-8?q?a=FFb?=", "a\xef\xbf\xbd"
                               "b");
    check("=?utf-8?q?=ED=A0=80?=", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* a surrogate */
    check("=?utf-8?q?=F0=9F=98=80?=", "\xf0\x9f\x98\x80");
    check("=?utf-8?q?=F4=90=80=80?=", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    check("\xe2\x82", "\xc3\xa2\xe2\x80\x9a");
    check("=?iso-2022-jp?b?GyRC?=", "");
}

static void marks_that_turn_text_around_do_not_come_through(void **state)
{
    static const char *const marks[] = {"=E2=80=8E", "=E2=80=8F", "=E2=80=AE", "=E2=81=A6",
                                        "=E2=81=A9", "=C2=85",    "=7F"};
    (void)state;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        char field[64];
        snprintf(field, sizeof field, "=?utf-8?q?a%sb?=", marks[i]);
        char *text = p3_rfc2047_decode(field, strlen(field));
        assert_true(strcmp(text, "ab") == 0 || strcmp(text, "a b") == 0);
        free(text);
    }
    check("=?utf-8?q?=E2=80=A6?=", "…"); /* a neighbour of theirs that is harmless */
}

static void small_hexadecimal_digits_and_cut_escapes_are_understood(void **state)
{
    (void)state;
    check("=?utf-8?q?=c3=a9?=", "é");
    check("=?utf-8?q?a=?=", "a=");
    check("=?utf-8?q?a=4?=", "a=4");
    check("=?utf-8?b?YQ?=", "a");
    check("=?utf-8?b?Y*Q=?=", "a");
    check("=??q?a?=", "=??q?a?=");
    check("=?utf-8?q?a", "=?utf-8?q?a");
    check("=?utf-8?q", "=?utf-8?q");
    check("=?a-name-of-a-character-set-that-is-far-too-long-to-be-one-and-goes-on-and-on?q?a?=",
          "=?a-name-of-a-character-set-that-is-far-too-long-to-be-one-and-goes-on-and-on?q?a?=");
}

static void a_very_long_field_is_decoded_whole(void **state)
{
    static char field[60000];
    (void)state;
    for (size_t i = 0; i + 20 < sizeof field; i += 14)
        memcpy(field + i, "=?utf-8?q?ab?= ", 15);
    char *text = p3_rfc2047_decode(field, strlen(field));
    assert_non_null(text);
    assert_true(strlen(text) > 8000);
    free(text);
}

static void sizes_and_times_are_short(void **state)
{
    static const struct {
        uint64_t octets;
        const char *text;
    } sizes[] = {{0, "0 B"},
                 {999, "999 B"},
                 {1000, "1.0 KB"},
                 {102400, "100 KB"},
                 {1023488, "1.0 MB"},
                 {5000000000, "4.7 GB"},
                 {1099511627776, "1.0 TB"},
                 {UINT64_MAX - 1, "16384 PB"},
                 {UINT64_MAX, "size ?"}};
    static const struct {
        double seconds;
        const char *text;
    } times[] = {{-5, "0 s"},         {0.4, "0 s"},     {59.4, "59 s"},     {59.6, "1:00 min"},
                 {3599, "59:59 min"}, {3600, "1:00 h"}, {90000, "25:00 h"}, {1e300, "83333:20 h"}};
    char room[P3_SHORT_TEXT];
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_string_equal(p3_size_text(sizes[i].octets, room), sizes[i].text);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        assert_string_equal(p3_time_text(times[i].seconds, room), times[i].text);
}

static void date(const char *field, const char *expected)
{
    char text[P3_DATE_TEXT];
    assert_string_equal(p3_mail_date_text(field, text), expected);
}

static void nuls_are_blanks_and_end_nothing(void **state)
{
    static const char field[] = "a\0b =?utf-8?\0?abc?= =?utf-8?q?x?=\0=?utf-8?q?y=00z?=";
    (void)state;
    char *text = p3_rfc2047_decode(field, sizeof field - 1);
    assert_non_null(text);
    assert_string_equal(text, "a b =?utf-8? ?abc?= x y z");
    free(text);
}

/* Were each followed to the end of the field, this would take the test's time limit. */
static void a_megabyte_of_beginnings_without_an_end_is_plain_text(void **state)
{
    static const char beginning[] = "=?a?q?x";
    size_t n = sizeof beginning - 1;
    size_t len = ((size_t)1 << 20) / n * n;
    char *field = malloc(len + 1);
    (void)state;
    assert_non_null(field);
    for (size_t i = 0; i < len; i += n)
        memcpy(field + i, beginning, n);
    field[len] = '\0';
    check(field, field);
    free(field);
}

static void dates_are_shown_in_local_time(void **state)
{
    (void)state;
    assert_int_equal(setenv("TZ", "UTC", 1), 0);
    date("Mon, 23 Nov 2026 07:39:05 +0000", "2026-11-23 07:39");
    date("23 Nov 2026 07:39:05 +0130", "2026-11-23 06:09");
    date("Mon, 23 Nov 2026 07:39 -0800 (PST)", "2026-11-23 15:39");
    date("Mon, 23 Nov 26 07:39:05 EST", "2026-11-23 12:39");
    date("23 Nov 98 07:39:05 +0000", "1998-11-23 07:39");
    date("19 Jan 2038 03:14:08 +0000", "2038-01-19 03:14"); /* 2^31 seconds after 1970 */
    date("23 Nov 2126 07:39:05 +0000", "2126-11-23 07:39");
    date("23 Nov 126 07:39:05 +0000", "2026-11-23 07:39");
    date("23 Nov 2026 07:39:05", "2026-11-23 07:39");
    date("23 Nov 2026 07:39", "2026-11-23 07:39");
    date("23 Nov 2026 07:39:05 MEZ", "2026-11-23 07:39");
    date("23 Foo 2026 07:39:05 +0000", "23 Foo 2026 07:3");
    date("32 Nov 2026 07:39:05 +0000", "32 Nov 2026 07:3");
    date("0 Nov 2026 07:39:05 +0000", "0 Nov 2026 07:39");
    date("23 Nov", "23 Nov");
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
        cmocka_unit_test(octets_that_are_no_utf8_are_replaced_or_taken_for_windows_1252),
        cmocka_unit_test(marks_that_turn_text_around_do_not_come_through),
        cmocka_unit_test(small_hexadecimal_digits_and_cut_escapes_are_understood),
        cmocka_unit_test(a_very_long_field_is_decoded_whole),
        cmocka_unit_test(sizes_and_times_are_short),
        cmocka_unit_test(nuls_are_blanks_and_end_nothing),
        cmocka_unit_test(a_megabyte_of_beginnings_without_an_end_is_plain_text),
        cmocka_unit_test(dates_are_shown_in_local_time),
    };
    return cmocka_run_group_tests_name("rfc2047", tests, NULL, NULL);
}
