/* What a failure means for people, and as an exit status: both come from what was refused. */
#include "unit.h"

#include <string.h>
#include <sysexits.h>

#include "collect/failure_text.h"

static p3_problem described(pop3_error e, pop3_status status)
{
    p3_problem why;
    e.status = status;
    e.message = "server: doing: why";
    e.server_text = "";
    p3_describe_error(&e, status, &why);
    assert_true(strncmp(why.text, e.message, strlen(e.message)) == 0);
    return why;
}

static bool has(const p3_problem *why, const char *words)
{
    return strstr(why->text, words) != NULL;
}

/* The statuses and codes of every refusal that there can be. */
static const pop3_response_code codes[] = {
    POP3_CODE_NONE,     POP3_CODE_AUTH,     POP3_CODE_IN_USE, POP3_CODE_LOGIN_DELAY,
    POP3_CODE_SYS_TEMP, POP3_CODE_SYS_PERM, POP3_CODE_OTHER,
};

static void a_password_is_blamed_only_where_the_credentials_were_refused(void **state)
{
    (void)state;
    for (int what = POP3_REFUSED_NOTHING; what <= POP3_REFUSED_QUIT; what++) {
        for (size_t i = 0; i < 2 * sizeof codes / sizeof codes[0]; i++) {
            pop3_error e = {
                .refused = (pop3_refusal)what, .code = codes[i / 2], .temporary = i % 2};
            p3_problem why = described(e, POP3_ERR_REFUSED);
            bool login = what >= POP3_REFUSED_MECHANISM && what <= POP3_REFUSED_IDENTITY;
            bool blames = has(&why, "check the user name and the password");
            if (e.temporary) {
                assert_int_equal(why.exit, EX_TEMPFAIL);
                assert_true(has(&why, "try again later"));
            }
            if (!login && what != POP3_REFUSED_NOTHING) {
                assert_int_not_equal(why.exit, EX_NOPERM);
                assert_false(has(&why, "password") || has(&why, "--auth"));
            }
            assert_false(blames && (e.temporary || what == POP3_REFUSED_MECHANISM));
            assert_false(blames && (what == POP3_REFUSED_TOKEN || what == POP3_REFUSED_IDENTITY ||
                                    what == POP3_REFUSED_BINDING));
        }
    }
}

static void status_and_advice_come_from_what_was_refused(void **state)
{
    static const struct {
        pop3_refusal what;
        int exit;
        const char *advice;
    } rows[] = {
        {POP3_REFUSED_CONNECTION, EX_UNAVAILABLE, ""},
        {POP3_REFUSED_PROTECTION, EX_UNAVAILABLE, "pop3s://"},
        {POP3_REFUSED_MECHANISM, EX_UNAVAILABLE, "--auth"},
        {POP3_REFUSED_APOP, EX_NOPERM, "auth = USER"},
        {POP3_REFUSED_BINDING, EX_UNAVAILABLE, "--channel-binding"},
        {POP3_REFUSED_CREDENTIALS, EX_NOPERM, "--auth"},
        {POP3_REFUSED_TOKEN, EX_NOPERM, "new token"},
        {POP3_REFUSED_IDENTITY, EX_NOPERM, "certificate"},
        {POP3_REFUSED_COMMAND, EX_UNAVAILABLE, ""},
        {POP3_REFUSED_QUIT, EX_TEMPFAIL, "may still be there"},
    };
    (void)state;
    assert_int_equal(sizeof rows / sizeof rows[0], POP3_REFUSED_QUIT);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        p3_problem why = described((pop3_error){.refused = rows[i].what}, POP3_ERR_REFUSED);
        assert_int_equal(rows[i].what, i + 1);
        assert_int_equal(why.exit, rows[i].exit);
        assert_true(has(&why, rows[i].advice));
    }
}

static void an_authority_is_asked_for_only_where_it_is_what_lacks(void **state)
{
    (void)state;
    for (int fault = POP3_CERTIFICATE_UNTRUSTED; fault <= POP3_CERTIFICATE_OTHER; fault++) {
        p3_problem why = described((pop3_error){.certificate = (pop3_certificate_fault)fault},
                                   POP3_ERR_CERTIFICATE);
        assert_int_equal(why.exit, EX_UNAVAILABLE);
        assert_int_equal(has(&why, "--ca-file"), fault == POP3_CERTIFICATE_UNTRUSTED);
        assert_int_equal(has(&why, "--server-name"), fault == POP3_CERTIFICATE_NAME);
        assert_int_equal(has(&why, "--pin"), fault == POP3_CERTIFICATE_PIN);
        assert_int_equal(has(&why, "clock"), fault == POP3_CERTIFICATE_TIME);
    }
}

static void what_to_do_where_tls_fails_fits_why_it_failed(void **state)
{
    static const char *const advice[] = {
        [POP3_TLS_FAULT_NONE] = "",
        [POP3_TLS_FAULT_NOT_TLS] = "pop3://",
        [POP3_TLS_FAULT_PLAINTEXT] = "administrator",
        [POP3_TLS_FAULT_NOTHING_SHARED] = "--tls-min",
        [POP3_TLS_FAULT_CLIENT] = "--certificate and --key",
        [POP3_TLS_FAULT_OTHER] = "",
    };
    (void)state;
    for (int fault = POP3_TLS_FAULT_NONE; fault <= POP3_TLS_FAULT_OTHER; fault++) {
        p3_problem why = described((pop3_error){.tls = (pop3_tls_fault)fault}, POP3_ERR_TLS);
        assert_int_equal(why.exit, EX_UNAVAILABLE);
        assert_true(has(&why, advice[fault]));
        assert_int_equal(has(&why, ";"), advice[fault][0] != '\0');
    }
    p3_problem why =
        described((pop3_error){.refused = POP3_REFUSED_PROTECTION}, POP3_ERR_NOT_OFFERED);
    assert_true(has(&why, "pop3s://"));
}

static void a_server_that_waits_for_tls_is_not_just_asked_again_later(void **state)
{
    (void)state;
    p3_problem silent = described((pop3_error){.tls = POP3_TLS_FAULT_EXPECTED}, POP3_ERR_TIMEOUT);
    p3_problem slow = described((pop3_error){0}, POP3_ERR_TIMEOUT);
    assert_int_equal(silent.exit, EX_TEMPFAIL);
    assert_int_equal(slow.exit, EX_TEMPFAIL);
    assert_true(has(&silent, "pop3s://"));
    assert_false(has(&slow, "pop3s://"));
}

static void a_machine_without_a_network_is_no_unknown_host(void **state)
{
    (void)state;
    p3_problem offline = described((pop3_error){.temporary = true}, POP3_ERR_RESOLVE);
    p3_problem unknown = described((pop3_error){0}, POP3_ERR_RESOLVE);
    assert_int_equal(offline.exit, EX_TEMPFAIL);
    assert_true(has(&offline, "connected"));
    assert_int_equal(unknown.exit, EX_NOHOST);
}

static void every_failure_of_a_connection_says_what_to_do(void **state)
{
    /* Not those of a connection that was there: the run connects again by itself. */
    static const pop3_status failures[] = {
        POP3_ERR_RESOLVE, POP3_ERR_CONNECT,     POP3_ERR_TIMEOUT,  POP3_ERR_PROTOCOL,
        POP3_ERR_LIMIT,   POP3_ERR_CERTIFICATE, POP3_ERR_INSECURE, POP3_ERR_NOT_OFFERED,
    };
    (void)state;
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        p3_problem why = described((pop3_error){0}, failures[i]);
        assert_true(has(&why, "; "));
        assert_int_not_equal(why.exit, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failure_of_a_connection_says_what_to_do),
        cmocka_unit_test(a_server_that_waits_for_tls_is_not_just_asked_again_later),
        cmocka_unit_test(a_machine_without_a_network_is_no_unknown_host),
        cmocka_unit_test(a_password_is_blamed_only_where_the_credentials_were_refused),
        cmocka_unit_test(status_and_advice_come_from_what_was_refused),
        cmocka_unit_test(an_authority_is_asked_for_only_where_it_is_what_lacks),
        cmocka_unit_test(what_to_do_where_tls_fails_fits_why_it_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
