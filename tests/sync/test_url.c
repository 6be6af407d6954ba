/* URLs: RFC 2384's forms and curl's, and what is refused. */
#include "unit.h"

#include <string.h>

#include "settings/url.h"

static void check(const char *text, pop3_security security, const char *user, const char *mechanism,
                  const char *host, unsigned port)
{
    p3_url u;
    p3_problem why = {0};
    if (!p3_url_parse(text, &u, &why))
        fail_msg("%s: %s", text, why.text);
    assert_int_equal(u.security, security);
    if (user != NULL)
        assert_string_equal(u.user, user);
    else
        assert_null(u.user);
    if (mechanism != NULL)
        assert_string_equal(u.mechanism, mechanism);
    else
        assert_null(u.mechanism);
    assert_string_equal(u.host, host);
    assert_int_equal(u.port, port);
    p3_url_free(&u);
}

static void the_forms_of_rfc_2384_and_of_curl_are_understood(void **state)
{
    (void)state;
    check("pop://rg@mailsrv.qualcomm.com", POP3_SECURITY_STLS, "rg", NULL, "mailsrv.qualcomm.com",
          0);
    check("pop://rg;AUTH=+APOP@mail.eudora.com:8110", POP3_SECURITY_STLS, "rg", "+APOP",
          "mail.eudora.com", 8110);
    check("pop://baz;AUTH=SCRAM-MD5@foo.bar", POP3_SECURITY_STLS, "baz", "SCRAM-MD5", "foo.bar", 0);
    check("pop3s://user@host/", POP3_SECURITY_TLS, "user", NULL, "host", 0);
    check("POP3S://user@host:995", POP3_SECURITY_TLS, "user", NULL, "host", 995);
    check("pop3://user;auth=*@host/", POP3_SECURITY_STLS, "user", NULL, "host", 0);
    check("pop3://host", POP3_SECURITY_STLS, NULL, NULL, "host", 0);
    check("pop3s://a@[::1]:1995/", POP3_SECURITY_TLS, "a", NULL, "::1", 1995);
    check("pop3s://a@[2001:db8::1]", POP3_SECURITY_TLS, "a", NULL, "2001:db8::1", 0);
}

static void percent_signs_are_decoded_and_a_bare_at_sign_belongs_to_the_user(void **state)
{
    (void)state;
    check("pop3s://me%40example.org@host", POP3_SECURITY_TLS, "me@example.org", NULL, "host", 0);
    check("pop3s://me@example.org@host", POP3_SECURITY_TLS, "me@example.org", NULL, "host", 0);
    check("pop3s://%5A%c3%A9@host", POP3_SECURITY_TLS, "Z\xc3\xa9", NULL, "host", 0);
    p3_url u;
    p3_problem why;
    assert_true(p3_url_parse("pop3s://u:p%3Aw@h", &u, &why));
    assert_string_equal(u.password, "p:w");
    p3_url_free(&u);
}

static void what_is_no_url_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "user@host",
        "imap://user@host",
        "pop3s://",
        "pop3s://user@",
        "pop3s://user@host:0",
        "pop3s://user@host:65536",
        "pop3s://user@host:9x",
        "pop3s://user@host:999999999999",
        "pop3s://user%4@host",
        "pop3s://user%zz@host",
        "pop3s://user%00@host",
        "pop3s://user%0d%0aDELE%201@host",
        "pop3s://us\ner@host",
        "pop3s://user;AUTH=@host",
        "pop3s://user@[::1",
        "pop3s://user@[::1]x",
        "pop3s://user@host/1",
        "pop3s://user@host?x",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        p3_url u;
        p3_problem why = {0};
        if (p3_url_parse(bad[i], &u, &why))
            fail_msg("taken: %s", bad[i]);
        assert_int_not_equal(why.exit, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_forms_of_rfc_2384_and_of_curl_are_understood),
        cmocka_unit_test(percent_signs_are_decoded_and_a_bare_at_sign_belongs_to_the_user),
        cmocka_unit_test(what_is_no_url_is_refused),
    };
    return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
