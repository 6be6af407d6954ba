/* Whom the messages of a mailbox go to that many share. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/recipients.h"

static const char fields[] = "Delivered-To, X-Original-To, Envelope-To";
static const char table[] =
    "anna@example.org -> anna@in.example\n"
    "# a comment, with -> all of it\n"
    "  Bob@Example.org->bob@in.example , sales@example.org -> anna@in.example\n"
    "@other.example -> other@in.example\n"
    "j\xc3\xb6rg@example.org -> j\xc3\xb6rg@in.example\n";

static p3_recipients *make(const char *more)
{
    p3_problem why;
    char text[1000];
    snprintf(text, sizeof text, "%s%s", table, more);
    p3_recipients *r = p3_recipients_new(fields, text, "table", "post@in.example", &why);
    assert_non_null(r);
    return r;
}

/* Whom a header gives, with blanks between; with a ! behind those who have been. */
static const char *found_in(const p3_recipients *r, const char *header, size_t len)
{
    static char all[40 * P3_RECIPIENTS_MOST];
    p3_recipient out[P3_RECIPIENTS_MOST];
    size_t count = p3_recipients_find(r, header, len, out);
    size_t used = 0;
    assert_in_range(count, 1, P3_RECIPIENTS_MOST);
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s%s", i > 0 ? " " : "",
                                 out[i].address, out[i].has_been ? "!" : "");
    return all;
}

static void expect(const char *header, const char *wanted)
{
    p3_recipients *r = make("");
    assert_string_equal(found_in(r, header, strlen(header)), wanted);
    p3_recipients_free(r);
}

static void the_first_field_that_is_there_counts_and_its_topmost_instance(void **state)
{
    (void)state;
    expect("X-Original-To: bob@example.org\r\nTo: anna@example.org\r\n\r\n", "bob@in.example");
    expect("X-Original-To: bob@example.org\nDelivered-To: anna@example.org\n\n", "anna@in.example");
    expect("envelope-TO : bob@example.org\nEnvelope-To: anna@example.org\n\n", "bob@in.example");
    expect("To: anna@example.org\nCc: bob@example.org\n\nEnvelope-To: anna@example.org\n",
           "post@in.example");
    expect("Delivered-To: \nX-Original-To: anna@example.org\n\n", "post@in.example");
    expect("", "post@in.example");
    expect("Delivered-To", "post@in.example");
    expect("Delivered-To:", "post@in.example");
}

static void an_address_is_looked_up_whole_then_by_its_domain(void **state)
{
    (void)state;
    expect("Delivered-To: ANNA@EXAMPLE.ORG\n\n", "anna@in.example");
    expect("Delivered-To: x@other.example\n\n", "other@in.example");
    expect("Delivered-To: x@sub.other.example\n\n", "post@in.example");
    expect("Delivered-To: nobody@example.org\n\n", "post@in.example");
    expect("Delivered-To: @other.example\n\n", "post@in.example");
    expect("Delivered-To: *\n\n", "post@in.example");
    expect("Delivered-To: j\xc3\xb6rg@example.org\n\n", "j\xc3\xb6rg@in.example");
    p3_recipients *r = make("* -> all@in.example\n");
    static const char header[] = "Delivered-To: nobody@example.org\n\n";
    assert_string_equal(found_in(r, header, sizeof header - 1), "all@in.example");
    p3_recipients_free(r);
}

static void several_of_one_field_are_found_and_none_twice(void **state)
{
    (void)state;
    expect("Envelope-To: anna@example.org, <bob@example.org>,\n\tAnna <sales@example.org>,\n"
           " x@other.example (the, other), nobody@example.org\n\n",
           "anna@in.example bob@in.example other@in.example post@in.example");
}

/* Whatever stands there, it is looked up and nothing else. */
static void what_is_no_address_goes_to_the_postmaster(void **state)
{
    static const char *const odd[] = {
        "anna@example.org bob@example.org",
        "anna@example.org>",
        "<anna@example.org",
        "<<anna@example.org>>",
        "<anna@example.org> x",
        "anna@example.org\x01",
        "anna@exam\x7fple.org",
        "\"anna@example.org",
        "(anna@example.org",
        "\"anna\"@example.org",
        "\"anna@example.org\"",
        "an\\na@example.org",
        "anna@example.org:25",
        "anna @example.org",
        "anna@example.org\r\n RCPT TO:bob@example.org",
        "x>\r\n DATA",
    };
    char header[400];
    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        snprintf(header, sizeof header, "Delivered-To: %s\r\n\r\n", odd[i]);
        expect(header, "post@in.example");
    }
    expect("Delivered-To: \"a, b\" <anna@example.org>\n\n", "anna@in.example");
    expect("Delivered-To: \"a\\\",b@example.org\"@other.example\n\n", "other@in.example");
    static const char nul[] = "Delivered-To: anna@example.org\0bob@example.org\n\n";
    p3_recipients *r = make("");
    assert_string_equal(found_in(r, nul, sizeof nul - 1), "post@in.example");
    p3_recipients_free(r);
}

/* A name of a domain in the table has 320 octets at most; one that is longer is nobody's. */
static void an_address_that_is_too_long_is_nobodys(void **state)
{
    char header[400];
    (void)state;
    for (int len = 300; len < 312; len++) {
        snprintf(header, sizeof header, "Delivered-To: %0*d@other.example\n\n", len, 0);
        expect(header, len + 14 <= 320 ? "other@in.example" : "post@in.example");
    }
}

static void more_recipients_than_a_message_may_have_are_the_postmaster(void **state)
{
    (void)state;
    for (unsigned count = P3_RECIPIENTS_MOST; count <= P3_RECIPIENTS_MOST + 1; count++) {
        char lines[40 * (P3_RECIPIENTS_MOST + 1)] = "";
        char header[40 * (P3_RECIPIENTS_MOST + 2)] = "Envelope-To: ";
        p3_problem why;
        p3_recipient out[P3_RECIPIENTS_MOST];
        for (unsigned i = 0; i < count; i++) {
            snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "u%u@x -> r%u@y\n", i, i);
            snprintf(header + strlen(header), sizeof header - strlen(header), "u%u@x,", i);
        }
        p3_recipients *r = p3_recipients_new(fields, lines, "table", "post@y", &why);
        assert_non_null(r);
        size_t found = p3_recipients_find(r, header, strlen(header), out);
        assert_int_equal(found, count > P3_RECIPIENTS_MOST ? 1 : count);
        assert_string_equal(out[0].address, count > P3_RECIPIENTS_MOST ? "post@y" : "r0@y");
        p3_recipients_free(r);
    }
}

/* Below the topmost Received: are earlier deliveries. */
static void one_that_it_was_delivered_to_before_is_told(void **state)
{
    (void)state;
    expect("Delivered-To: anna@in.example\nX-Original-To: anna@example.org\n\n", "post@in.example");
    expect("X-Original-To: anna@example.org\nReceived: x\nDelivered-To: bob@in.example\n"
           "Delivered-To: x@y\n\n",
           "post@in.example");
    expect("Envelope-To: anna@example.org, bob@example.org\n\n", "anna@in.example bob@in.example");
    p3_problem why;
    p3_recipients *r =
        p3_recipients_new("X-Original-To,Delivered-To", "@x -> a@x, b@x -> b@y", "t", "p@x", &why);
    static const struct {
        const char *header;
        const char *wanted;
    } cases[] = {
        {"X-Original-To: a@x\nDelivered-To: A@X\n\n", "a@x!"},
        {"X-Original-To: a@x\nDelivered-To: a@x\nReceived: r\n\n", "a@x"},
        {"X-Original-To: a@x\nDelivered-To: a@x\nReceived: r\nDelivered-To: <a@x>\n\n", "a@x!"},
        {"X-Original-To: a@x\nReceived: r\nReceived: r\nDelivered-To: a@x\n\n", "a@x!"},
        {"X-Original-To: a@x, b@x\nReceived: r\nDelivered-To: a@x\n\n", "a@x! b@y"},
        {"Delivered-To: a@x\n\n", "a@x"},
        {"Delivered-To: a@x\nDelivered-To: a@x\n\n", "a@x!"},
        {"Received: r\nDelivered-To: a@x\n\nDelivered-To: a@x\n", "a@x"},
    };
    assert_non_null(r);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(found_in(r, cases[i].header, strlen(cases[i].header)), cases[i].wanted);
    p3_recipients_free(r);
}

static void the_one_that_is_left_must_be_one_of_theirs(void **state)
{
    static const char header[] = "Delivered-To: anna@example.org\nReceived: x\n"
                                 "Delivered-To: bob@in.example\n\n";
    p3_recipients *r = make("");
    p3_recipient out;
    (void)state;
    assert_true(p3_recipients_find_one(r, "bob@in.example", header, sizeof header - 1, &out));
    assert_true(out.has_been && strcmp(out.address, "bob@in.example") == 0);
    assert_true(p3_recipients_find_one(r, "post@in.example", header, sizeof header - 1, &out));
    assert_false(out.has_been);
    assert_false(p3_recipients_find_one(r, "bob@example.org", header, sizeof header - 1, &out));
    assert_false(p3_recipients_find_one(r, "", header, sizeof header - 1, &out));
    p3_recipients_free(r);
}

static void what_cannot_be_meant_is_refused(void **state)
{
    static const struct {
        const char *fields;
        const char *table;
        const char *said;
    } cases[] = {
        {"", "* -> a@b", "is not the name of a header field"},
        {"To,,Cc", "* -> a@b", "is not the name of a header field"},
        {"X To", "* -> a@b", "\"X To\" is not the name"},
        {"To:", "* -> a@b", "is not the name of a header field"},
        {"To", "", "it is empty"},
        {"To", "# * -> a@b\n", "it is empty"},
        {"To", "a@b -> c@d\na@b > c@d", "t, line 2: \"a@b > c@d\""},
        {"To", "a@b -> ", "line 1"},
        {"To", "a@b -> c d", "line 1"},
        {"To", "a@b -> <c@d>", "line 1"},
        {"To", "a -> c@d", "line 1"},
        {"To", "a@ -> c@d", "line 1"},
        {"To", "a@b c@d -> e", "line 1"},
        {"To", "a@b -> c@d, A@B -> e@f", "is there twice"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        p3_problem why = {0};
        assert_null(p3_recipients_new(cases[i].fields, cases[i].table, "t", "p@x", &why));
        if (strstr(why.text, cases[i].said) == NULL)
            fail_msg("%zu: %s", i, why.text);
    }
}

static unsigned until_failure; /* strndup() fails then; 0: never */

char *__real_strndup(const char *text, size_t len);
char *__wrap_strndup(const char *text, size_t len);

char *__wrap_strndup(const char *text, size_t len)
{
    if (until_failure > 0 && --until_failure == 0) {
        errno = ENOMEM;
        return NULL;
    }
    return __real_strndup(text, len);
}

static void that_memory_runs_out_is_no_mistake_in_the_table(void **state)
{
    p3_recipients *r = NULL;
    (void)state;
    for (unsigned i = 1; r == NULL; i++) {
        p3_problem why = {0};
        until_failure = i;
        r = p3_recipients_new("To", "a@b -> c@d, e@f -> folder:F", "t", "p@x", &why);
        if (r == NULL)
            assert_string_equal(why.text, "out of memory");
        else
            assert_int_equal(i, 6);
    }
    until_failure = 0;
    p3_recipients_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_field_that_is_there_counts_and_its_topmost_instance),
        cmocka_unit_test(an_address_is_looked_up_whole_then_by_its_domain),
        cmocka_unit_test(several_of_one_field_are_found_and_none_twice),
        cmocka_unit_test(what_is_no_address_goes_to_the_postmaster),
        cmocka_unit_test(an_address_that_is_too_long_is_nobodys),
        cmocka_unit_test(more_recipients_than_a_message_may_have_are_the_postmaster),
        cmocka_unit_test(one_that_it_was_delivered_to_before_is_told),
        cmocka_unit_test(the_one_that_is_left_must_be_one_of_theirs),
        cmocka_unit_test(what_cannot_be_meant_is_refused),
        cmocka_unit_test(that_memory_runs_out_is_no_mistake_in_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
