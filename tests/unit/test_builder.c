/* The command builder: every command renders to the octet, and whatever could smuggle a second
 * command or break the first is refused. */
#include "spans.h"

#include <stdlib.h>

#include "core/builder.h"
#include "core/commands.h"

static pop3_command command(pop3_command_kind kind, uint32_t number, uint32_t lines, pop3_str text,
                            pop3_str initial)
{
    pop3_command c = POP3_COMMAND_INIT;
    c.kind = kind;
    c.number = number;
    c.lines = lines;
    c.text = text;
    c.initial = initial;
    return c;
}

static const pop3_str none = {NULL, 0};

/* Renders a command and compares; what shows in a trace is its first public_len octets. */
static void renders(const pop3_command *c, const char *line_and_end, size_t public_len)
{
    assert_int_equal(pop3_command_check(c), POP3_OK);
    p3_queued q;
    assert_int_equal(p3_command_copy(&q, c), POP3_OK);
    assert_ptr_equal(q.tag, c->tag);
    p3_output out = {0};
    pop3_str line;
    size_t shown;
    assert_true(p3_command_render(&out, &q, &line, &shown));
    assert_span(octets(out.data + out.start, p3_output_waiting(&out)), line_and_end);
    assert_int_equal(line.len, strlen(line_and_end) - 2);
    assert_int_equal(shown, public_len);
    p3_queued_clear(&q);
    p3_output_free(&out);
}

static void refused(pop3_command_kind kind, uint32_t number, uint32_t lines, pop3_str text,
                    pop3_str initial)
{
    pop3_command c = command(kind, number, lines, text, initial);
    assert_int_equal(pop3_command_check(&c), POP3_ERR_ARGUMENT);
}

static void every_command_renders_exactly(void **state)
{
    (void)state;
    static const struct {
        pop3_command_kind kind;
        uint32_t number, lines;
        const char *text;
        const char *line;
        size_t public_len;
    } rows[] = {
        {POP3_CMD_CAPA, 0, 0, "", "CAPA\r\n", 4},
        {POP3_CMD_USER, 0, 0, "mrose", "USER mrose\r\n", 10},
        {POP3_CMD_USER, 0, 0, "p\xc3\xa9ter@a b", "USER p\xc3\xa9ter@a b\r\n", 15},
        {POP3_CMD_PASS, 0, 0, "secret word ", "PASS secret word \r\n", 5},
        {POP3_CMD_PASS, 0, 0, "", "PASS \r\n", 5},
        {POP3_CMD_APOP, 0, 0, "mrose c4c9334b", "APOP mrose c4c9334b\r\n", 5},
        {POP3_CMD_RPOP, 0, 0, "mrose", "RPOP mrose\r\n", 10},
        {POP3_CMD_AUTH, 0, 0, "PLAIN", "AUTH PLAIN\r\n", 5},
        {POP3_CMD_STLS, 0, 0, "", "STLS\r\n", 4},
        {POP3_CMD_UTF8, 0, 0, "", "UTF8\r\n", 4},
        {POP3_CMD_LANG, 0, 0, "de-AT", "LANG de-AT\r\n", 10},
        {POP3_CMD_LANG_LIST, 0, 0, "", "LANG\r\n", 4},
        {POP3_CMD_STAT, 0, 0, "", "STAT\r\n", 4},
        {POP3_CMD_LIST, 0, 0, "", "LIST\r\n", 4},
        {POP3_CMD_LIST_ONE, 1, 0, "", "LIST 1\r\n", 6},
        {POP3_CMD_UIDL, 0, 0, "", "UIDL\r\n", 4},
        {POP3_CMD_UIDL_ONE, 20, 0, "", "UIDL 20\r\n", 7},
        {POP3_CMD_RETR, 300, 0, "", "RETR 300\r\n", 8},
        {POP3_CMD_TOP, 4, 0, "", "TOP 4 0\r\n", 7},
        {POP3_CMD_TOP, 4, 10, "", "TOP 4 10\r\n", 8},
        {POP3_CMD_DELE, 5, 0, "", "DELE 5\r\n", 6},
        {POP3_CMD_RSET, 0, 0, "", "RSET\r\n", 4},
        {POP3_CMD_NOOP, 0, 0, "", "NOOP\r\n", 4},
        {POP3_CMD_QUIT, 0, 0, "", "QUIT\r\n", 4},
        {POP3_CMD_RAW, 0, 0, "XTND X", "XTND X\r\n", 0},
        {POP3_CMD_RAW_LIST, 0, 0, "XLST", "XLST\r\n", 0},
    };
    bool seen[POP3_CMD_RAW_LIST + 1] = {false};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        pop3_command c =
            command(rows[i].kind, rows[i].number, rows[i].lines, span(rows[i].text), none);
        c.tag = &seen;
        renders(&c, rows[i].line, rows[i].public_len);
        seen[rows[i].kind] = true;
    }
    for (int k = POP3_CMD_CAPA; k <= POP3_CMD_RAW_LIST; k++)
        assert_true(seen[k]); /* a new kind needs its row */
}

static void the_largest_numbers_fit(void **state)
{
    (void)state;
    pop3_command c = command(POP3_CMD_TOP, UINT32_MAX, UINT32_MAX, none, none);
    renders(&c, "TOP 4294967295 4294967295\r\n", 25);
    c = command(POP3_CMD_RETR, UINT32_MAX, 0, none, none);
    renders(&c, "RETR 4294967295\r\n", 15);
}

static void an_initial_response_follows_the_mechanism(void **state)
{
    (void)state;
    pop3_command c = command(POP3_CMD_AUTH, 0, 0, span("PLAIN"), span("AGEAYg=="));
    renders(&c, "AUTH PLAIN AGEAYg==\r\n", 5);
    c.initial = span("="); /* RFC 5034 §4: an empty one */
    renders(&c, "AUTH PLAIN =\r\n", 5);
}

static const pop3_command_kind with_text[] = {POP3_CMD_USER, POP3_CMD_PASS,    POP3_CMD_APOP,
                                              POP3_CMD_RPOP, POP3_CMD_AUTH,    POP3_CMD_LANG,
                                              POP3_CMD_RAW,  POP3_CMD_RAW_LIST};
enum { with_text_count = sizeof with_text / sizeof with_text[0] };

static void cr_lf_and_nul_are_refused_at_every_place(void **state)
{
    (void)state;
    static const char evil[] = {'\r', '\n', '\0'};
    for (size_t k = 0; k < with_text_count; k++) {
        for (size_t e = 0; e < sizeof evil; e++) {
            for (size_t at = 0; at < 5; at++) {
                char text[5] = {'a', 'b', 'c', 'd', 'e'};
                text[at] = evil[e];
                refused(with_text[k], 0, 0, octets(text, sizeof text), none);
            }
        }
        refused(with_text[k], 0, 0, span("a\r\nDELE 1"), none);
    }
}

static void an_empty_argument_is_refused_but_for_pass(void **state)
{
    (void)state;
    for (size_t k = 0; k < with_text_count; k++) {
        pop3_command c = command(with_text[k], 0, 0, none, none);
        pop3_status want = with_text[k] == POP3_CMD_PASS ? POP3_OK : POP3_ERR_ARGUMENT;
        assert_int_equal(pop3_command_check(&c), want);
        c.text = span("");
        assert_int_equal(pop3_command_check(&c), want);
    }
}

static void an_argument_of_8000_octets_is_the_longest(void **state)
{
    (void)state;
    char *text = malloc(8001);
    assert_non_null(text);
    memset(text, 'a', 8001);
    for (size_t k = 0; k < with_text_count; k++) {
        if (with_text[k] == POP3_CMD_AUTH)
            continue;
        pop3_command c = command(with_text[k], 0, 0, octets(text, 8000), none);
        assert_int_equal(pop3_command_check(&c), POP3_OK);
        refused(with_text[k], 0, 0, octets(text, 8001), none);
    }
    free(text);
}

static void a_span_without_data_has_no_length(void **state)
{
    (void)state;
    refused(POP3_CMD_USER, 0, 0, octets(NULL, 3), none);
    refused(POP3_CMD_AUTH, 0, 0, span("PLAIN"), octets(NULL, 3));
    assert_false(p3_response_ok(octets(NULL, 3)));
}

static void names_and_passwords_are_utf8(void **state)
{
    (void)state;
    refused(POP3_CMD_USER, 0, 0, span("p\xe9ter"), none);
    refused(POP3_CMD_PASS, 0, 0, span("\xc0\x80"), none);
    refused(POP3_CMD_PASS, 0, 0, span("\xed\xa0\x80"), none);
    pop3_command c = command(POP3_CMD_PASS, 0, 0, span("\xf0\x9f\x94\x91"), none);
    renders(&c, "PASS \xf0\x9f\x94\x91\r\n", 5);
}

static void arguments_that_a_command_does_not_take_are_refused(void **state)
{
    (void)state;
    for (int k = POP3_CMD_CAPA; k <= POP3_CMD_RAW_LIST; k++) {
        pop3_command_kind kind = (pop3_command_kind)k;
        bool text = false;
        for (size_t i = 0; i < with_text_count; i++)
            text = text || with_text[i] == kind;
        bool number = kind == POP3_CMD_LIST_ONE || kind == POP3_CMD_UIDL_ONE ||
                      kind == POP3_CMD_RETR || kind == POP3_CMD_TOP || kind == POP3_CMD_DELE;
        pop3_str own = text ? span("abc") : none;
        uint32_t own_number = number ? 1 : 0;
        pop3_command c = command(kind, own_number, 0, own, none);
        assert_int_equal(pop3_command_check(&c), POP3_OK);
        if (!text)
            refused(kind, own_number, 0, span("abc"), none);
        refused(kind, number ? 0 : 1, 0, own, none);
        if (kind != POP3_CMD_TOP)
            refused(kind, own_number, 1, own, none);
        if (kind != POP3_CMD_AUTH)
            refused(kind, own_number, 0, own, span("AA=="));
    }
}

static void a_kind_outside_the_enumeration_is_refused(void **state)
{
    (void)state;
    refused(POP3_CMD_NONE, 0, 0, none, none);
    refused((pop3_command_kind)(POP3_CMD_RAW_LIST + 1), 0, 0, span("x"), none);
    refused((pop3_command_kind)-1, 0, 0, span("x"), none);
}

static void a_mechanism_s_name_is_letters_digits_hyphens_and_underscores(void **state)
{
    (void)state;
    static const char *const good[] = {"PLAIN",   "SCRAM-SHA-256-PLUS",  "KERBEROS_V4", "x", "9P",
                                       "xoauth2", "ABCDEFGHIJKLMNOPQRST"};
    static const char *const bad[] = {"",
                                      "PLAIN ",
                                      " PLAIN",
                                      "PLAIN =",
                                      "A.B",
                                      "A/B",
                                      "A\tB",
                                      "*",
                                      "ABCDEFGHIJKLMNOPQRSTU",
                                      "PL\xc3\x84IN",
                                      "A@B",
                                      "A[B",
                                      "A`B"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        pop3_command c = command(POP3_CMD_AUTH, 0, 0, span(good[i]), none);
        assert_int_equal(pop3_command_check(&c), POP3_OK);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refused(POP3_CMD_AUTH, 0, 0, span(bad[i]), none);
}

static void an_initial_response_is_base64_of_bearable_length(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "AA AA", "AA\r\n", "*", "AA-_", "AA\x80", "AA\t"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refused(POP3_CMD_AUTH, 0, 0, span("PLAIN"), span(bad[i]));
    refused(POP3_CMD_AUTH, 0, 0, span("PLAIN"), octets("AA\0A", 4));
    char *text = malloc(65537);
    assert_non_null(text);
    memset(text, 'A', 65537);
    pop3_command c = command(POP3_CMD_AUTH, 0, 0, span("PLAIN"), octets(text, 65536));
    assert_int_equal(pop3_command_check(&c), POP3_OK);
    refused(POP3_CMD_AUTH, 0, 0, span("PLAIN"), octets(text, 65537));
    free(text);
}

static void a_response_is_base64_or_a_star_alone(void **state)
{
    (void)state;
    static const char *const good[] = {"", "=", "AGEAYg==", "+/aZ09", "*"};
    static const char *const bad[] = {"**",  "*A",  "A*", " ", "A A",
                                      "A\r", "A\n", "-",  "_", "A\xff"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(p3_response_ok(span(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(p3_response_ok(span(bad[i])));
    assert_true(p3_response_ok(none));
    assert_false(p3_response_ok(octets("\0", 1)));
    int taken = 0;
    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        taken += p3_response_ok(octets(&c, 1));
    }
    assert_int_equal(taken, 64 + 1 + 1); /* the alphabet, the padding, the star */
}

static void what_travels_alone_is_what_changes_the_session(void **state)
{
    (void)state;
    for (int k = POP3_CMD_CAPA; k <= POP3_CMD_RAW_LIST; k++) {
        pop3_command_kind kind = (pop3_command_kind)k;
        bool login = kind == POP3_CMD_PASS || kind == POP3_CMD_APOP || kind == POP3_CMD_RPOP ||
                     kind == POP3_CMD_AUTH;
        bool raw = kind == POP3_CMD_RAW || kind == POP3_CMD_RAW_LIST;
        bool listing = kind == POP3_CMD_CAPA || kind == POP3_CMD_LANG_LIST ||
                       kind == POP3_CMD_LIST || kind == POP3_CMD_UIDL || kind == POP3_CMD_RAW_LIST;
        const p3_command_row *about = p3_command_about(kind);
        bool pass = kind == POP3_CMD_PASS; /* USER may come before it, and nothing behind it */
        assert_int_equal(about->window == P3_WINDOW_ALONE,
                         (login && !pass) || raw || kind == POP3_CMD_STLS || kind == POP3_CMD_QUIT);
        assert_int_equal(about->window == P3_WINDOW_LAST, pass);
        assert_int_equal(about->effect == P3_EFFECT_LOGIN, login);
        assert_int_equal(about->secrecy != P3_SECRECY_NONE,
                         (login && kind != POP3_CMD_RPOP) || raw);
        bool body = p3_answer_is_message(about->answer);
        assert_int_equal(p3_answer_has_lines(about->answer), listing || body);
        assert_int_equal(body, kind == POP3_CMD_RETR || kind == POP3_CMD_TOP);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_renders_exactly),
        cmocka_unit_test(the_largest_numbers_fit),
        cmocka_unit_test(an_initial_response_follows_the_mechanism),
        cmocka_unit_test(cr_lf_and_nul_are_refused_at_every_place),
        cmocka_unit_test(an_empty_argument_is_refused_but_for_pass),
        cmocka_unit_test(an_argument_of_8000_octets_is_the_longest),
        cmocka_unit_test(a_span_without_data_has_no_length),
        cmocka_unit_test(names_and_passwords_are_utf8),
        cmocka_unit_test(arguments_that_a_command_does_not_take_are_refused),
        cmocka_unit_test(a_kind_outside_the_enumeration_is_refused),
        cmocka_unit_test(a_mechanism_s_name_is_letters_digits_hyphens_and_underscores),
        cmocka_unit_test(an_initial_response_is_base64_of_bearable_length),
        cmocka_unit_test(a_response_is_base64_or_a_star_alone),
        cmocka_unit_test(what_travels_alone_is_what_changes_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
