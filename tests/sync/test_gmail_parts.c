/* The parts of delivery to Gmail that a server is not needed for: the pace, what answers mean,
 * URLs, what a message is found by. */
#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "deliver/gmail_answer.h"
#include "deliver/gmail_find.h"
#include "deliver/gmail_import.h"
#include "deliver/rate_limit.h"
#include "support/file.h"
#include "system/nameless.h"

/* ---- pace ---- */

static void in_no_minute_is_more_spent_than_the_quota(void **state)
{
    enum { REQUESTS = 5000, UNITS = 25 };
    static int64_t sent[REQUESTS];
    p3_rate_limit *p = p3_rate_limit_of("a", (p3_quota){.burst = 1000, .a_minute = 4900});
    int64_t now = 1000;
    (void)state;
    assert_non_null(p);
    for (size_t i = 0; i < REQUESTS; i++) {
        now += p3_rate_limit_spend(p, UNITS, now);
        sent[i] = now;
    }
    for (size_t i = 0, first = 0; i < REQUESTS; i++) {
        while (sent[i] - sent[first] >= 60000)
            first++;
        assert_true((i - first + 1) * UNITS <= 6000);
    }
    /* And not much less: 5,000 at 196 a minute. */
    assert_true(now - 1000 < (int64_t)REQUESTS * 60000 / 196);
}

static void those_of_one_name_share_and_others_do_not(void **state)
{
    p3_quota quota = {.burst = 100, .a_minute = 600};
    (void)state;
    assert_ptr_equal(p3_rate_limit_of("b", quota), p3_rate_limit_of("b", quota));
    assert_int_equal(p3_rate_limit_spend(p3_rate_limit_of("b", quota), 100, 5), 0);
    assert_int_equal(p3_rate_limit_spend(p3_rate_limit_of("b", quota), 10, 5), 1000);
    assert_int_equal(p3_rate_limit_spend(p3_rate_limit_of("c", quota), 100, 5), 0);
}

static void a_hold_lets_nobody_through_before_its_end(void **state)
{
    p3_rate_limit *p = p3_rate_limit_of("d", (p3_quota){.burst = 100, .a_minute = 60000});
    (void)state;
    p3_rate_limit_hold(p, 9000);
    assert_true(p3_rate_limit_spend(p, 1, 1000) >= 8000);
    p3_rate_limit_hold(p, 2000); /* an earlier end does not shorten it */
    assert_true(p3_rate_limit_spend(p, 1, 1000) >= 8000);
    assert_int_equal(p3_rate_limit_spend(p, 1, 60000), 0);
}

/* ---- answers ---- */

static p3_gmail_verdict judge(long status, const char *body, p3_problem *why)
{
    return p3_gmail_judge(status, body, strlen(body), "doing it", "run: pop3 authorize x", why);
}

static void reasons_come_before_the_status(void **state)
{
    static const struct {
        long status;
        const char *reason;
        p3_gmail_verdict verdict;
    } known[] = {{403, "rateLimitExceeded", P3_GMAIL_BUSY},
                 {403, "userRateLimitExceeded", P3_GMAIL_BUSY},
                 {429, "dailyLimitExceeded", P3_GMAIL_STOP},
                 {403, "insufficientPermissions", P3_GMAIL_SCOPE},
                 {401, "authError", P3_GMAIL_TOKEN},
                 {400, "failedPrecondition", P3_GMAIL_STOP},
                 {400, "invalidArgument", P3_GMAIL_MESSAGE},
                 {403, "unheard of", P3_GMAIL_STOP},
                 {500, "backendError", P3_GMAIL_UNSURE},
                 {503, "unheard of", P3_GMAIL_UNSURE},
                 {404, "notFound", P3_GMAIL_MISSING},
                 {409, "aborted", P3_GMAIL_THERE},
                 {429, "", P3_GMAIL_BUSY},
                 {302, "", P3_GMAIL_STOP},
                 {200, "rateLimitExceeded", P3_GMAIL_GOOD}};
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        p3_problem why = {0};
        char body[300];
        snprintf(body, sizeof body,
                 "{\"error\": {\"message\": \"no\", \"errors\": [{\"reason\": \"%s\"}]}}",
                 known[i].reason);
        assert_int_equal(judge(known[i].status, body, &why), known[i].verdict);
        assert_int_equal(why.exit == 0, known[i].verdict == P3_GMAIL_GOOD);
    }
}

static int64_t retry_after(const char *message)
{
    char body[300];
    snprintf(body, sizeof body, "{\"error\": {\"code\": 429, \"message\": \"%s\"}}", message);
    return p3_gmail_retry_after(body, strlen(body), 1560348800);
}

static void a_refusal_that_names_a_time_says_how_long_to_wait(void **state)
{
    (void)state;
    assert_int_equal(retry_after("User-rate limit exceeded.  Retry after 2019-06-12T14:14:07.137Z"),
                     47);
    assert_int_equal(retry_after("Retry after 2019-06-12T14:13:20Z"), 0);
    assert_int_equal(retry_after("Retry after 2019-06-12T"), 0);
    assert_int_equal(retry_after("Retry after "), 0);
    assert_int_equal(retry_after("Try later"), 0);
    assert_int_equal(p3_gmail_retry_after("{", 1, 0), 0);
    assert_int_equal(p3_gmail_retry_after("{\"error\": []}", 13, 0), 0);
}

/* Of Google's guide "Resolve errors" (Gmail API), and of the status codes of its API. */
static void each_refusal_of_googles_reference_says_what_to_do(void **state)
{
    static const struct {
        long status;
        const char *reason;
        p3_gmail_verdict verdict;
        int exit;
        const char *says;
    } known[] = {
        {400, "badRequest", P3_GMAIL_MESSAGE, EX_UNAVAILABLE, "Google answers 400, no"},
        {400, "failedPrecondition", P3_GMAIL_STOP, EX_UNAVAILABLE,
         "check that the user has a Gmail"},
        {401, "authError", P3_GMAIL_TOKEN, EX_NOPERM, "is no longer valid; run: pop3 authorize x"},
        {401, "", P3_GMAIL_TOKEN, EX_NOPERM, "is no longer valid; run: pop3 authorize x"},
        {403, "dailyLimitExceeded", P3_GMAIL_STOP, EX_TEMPFAIL, "run it again tomorrow"},
        {403, "userRateLimitExceeded", P3_GMAIL_BUSY, EX_TEMPFAIL, "it is tried again later"},
        {403, "rateLimitExceeded", P3_GMAIL_BUSY, EX_TEMPFAIL, "it is tried again later"},
        {403, "quotaExceeded", P3_GMAIL_STOP, EX_TEMPFAIL, "make room in the mailbox"},
        {403, "limitExceeded", P3_GMAIL_STOP, EX_TEMPFAIL, "make room in the mailbox"},
        {403, "domainPolicy", P3_GMAIL_STOP, EX_NOPERM, "the administrator of the domain"},
        {403, "accessNotConfigured", P3_GMAIL_STOP, EX_CONFIG, "enable the Gmail API"},
        {403, "SERVICE_DISABLED", P3_GMAIL_STOP, EX_CONFIG, "enable the Gmail API"},
        {403, "insufficientPermissions", P3_GMAIL_SCOPE, EX_NOPERM,
         "asked for; run: pop3 authorize x"},
        {403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", P3_GMAIL_SCOPE, EX_NOPERM,
         "grant all permissions that are"},
        {403, "delegationDenied", P3_GMAIL_STOP, EX_NOPERM, "sign in as the user whom gmail names"},
        {403, "forbidden", P3_GMAIL_STOP, EX_NOPERM, "sign in as the user whom gmail names"},
        {404, "notFound", P3_GMAIL_MISSING, EX_UNAVAILABLE, "see gmail and gmail-url"},
        {408, "", P3_GMAIL_BUSY, EX_TEMPFAIL, "it is tried again later"},
        {413, "uploadTooLarge", P3_GMAIL_MESSAGE, EX_UNAVAILABLE, "Google answers 413, no"},
        {429, "userRateLimitExceeded", P3_GMAIL_BUSY, EX_TEMPFAIL, "it is tried again later"},
        {429, "rateLimitExceeded", P3_GMAIL_BUSY, EX_TEMPFAIL, "it is tried again later"},
        {429, "RATE_LIMIT_EXCEEDED", P3_GMAIL_BUSY, EX_TEMPFAIL, "it is tried again later"},
        {429, "concurrentLimitExceeded", P3_GMAIL_BUSY, EX_TEMPFAIL, "it is tried again later"},
        {429, "", P3_GMAIL_BUSY, EX_TEMPFAIL, "it is tried again later"},
        {500, "backendError", P3_GMAIL_UNSURE, EX_TEMPFAIL, "it is tried again later"},
        {500, "internalError", P3_GMAIL_UNSURE, EX_TEMPFAIL, "it is tried again later"},
        {502, "", P3_GMAIL_UNSURE, EX_TEMPFAIL, "it is tried again later"},
        {503, "", P3_GMAIL_UNSURE, EX_TEMPFAIL, "it is tried again later"},
        {504, "", P3_GMAIL_UNSURE, EX_TEMPFAIL, "it is tried again later"},
    };
    static const char *const lists[] = {"errors", "details"};
    (void)state;
    for (size_t i = 0; i < 2 * (sizeof known / sizeof *known); i++) {
        size_t k = i / 2;
        p3_problem why = {0};
        char body[300];
        snprintf(body, sizeof body,
                 "{\"error\": {\"message\": \"no\", \"%s\": [{\"reason\": \"%s\"}]}}", lists[i % 2],
                 known[k].reason);
        assert_int_equal(judge(known[k].status, body, &why), known[k].verdict);
        assert_int_equal(why.exit, known[k].exit);
        if (strstr(why.text, known[k].says) == NULL)
            fail_msg("%ld %s: %s", known[k].status, known[k].reason, why.text);
    }
}

static void an_error_of_any_shape_is_judged_by_the_status(void **state)
{
    static const char *const bodies[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"error\": 1}",
        "{\"error\": {\"errors\": {}, \"details\": 3}}",
        "{\"error\": {\"errors\": [1, null, {\"reason\": {}}], \"message\": []}}",
        "{\"error\": {}, \"error\": {}}",
        "<html>",
        "{\"error\": {\"message\": \"\\u0000\"}}"};
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        p3_problem why = {0};
        assert_int_equal(judge(503, bodies[i], &why), P3_GMAIL_UNSURE);
        assert_int_equal(judge(400, bodies[i], &why), P3_GMAIL_MESSAGE);
    }
}

static void googles_words_are_one_line_and_cut_between_characters(void **state)
{
    char body[2000];
    p3_problem why = {0};
    (void)state;
    size_t len = (size_t)snprintf(body, sizeof body, "{\"error\": {\"message\": \"a\\nb\\u001b");
    while (len < 1500)
        len += (size_t)snprintf(body + len, sizeof body - len, "\xc3\xa9");
    snprintf(body + len, sizeof body - len, "\"}}");
    (void)judge(400, body, &why);
    assert_null(strpbrk(why.text, "\n\x1b"));
    assert_true(strlen(why.text) < 400);
    assert_int_equal((unsigned char)why.text[strlen(why.text) - 1], 0xa9);
}

/* ---- URLs ---- */

static void urls_are_https_and_nothing_behind_the_port(void **state)
{
    static const char *const bad[] = {"",
                                      "https://",
                                      "http://h",
                                      "https://h/x",
                                      "https://h?x",
                                      "https://u@h",
                                      "https://h:",
                                      "https://h:0",
                                      "https://h:65536",
                                      "https://h:1x",
                                      "https://a b",
                                      "https://%41",
                                      "ftp://h",
                                      "h",
                                      "https://h\\x",
                                      "https://unix:/x"};
    p3_server_address a;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(p3_gmail_url_read(&a, bad[i]));
    assert_true(p3_gmail_url_read(&a, "https://gmail.googleapis.com"));
    assert_string_equal(a.host, "gmail.googleapis.com");
    assert_int_equal(a.port, 443);
    assert_true(p3_gmail_url_read(&a, "https://[::1]:8443/"));
    assert_string_equal(a.host, "::1");
    assert_int_equal(a.port, 8443);
    assert_true(p3_gmail_url_read(&a, "https://[::1]"));
    assert_int_equal(a.port, 443);
}

/* ---- what a message is found by ---- */

static void check_identity(const char *text, const char *id, bool is_ours)
{
    const p3_fingerprint print = {{0x01, 0xfe}};
    p3_gmail_identity who;
    p3_problem why = {0};
    int fd = p3_nameless_file(p3_nameless_directory());
    assert_true(fd >= 0);
    assert_true(p3_write_all(fd, text, strlen(text)));
    assert_true(
        p3_gmail_identify(&who, fd, 0, strlen(text), "17.R0fO1aQ42.host\\057x", &print, &why));
    assert_string_equal(who.id, id);
    assert_string_equal(who.mark, "17.R0fO1aQ42.host\\057x 01fe0000000000000000000000000000");
    assert_int_equal(who.is_ours, is_ours);
    (void)close(fd);
}

static void a_message_is_found_by_its_id_or_one_of_ours(void **state)
{
    static const char ours[] = "17.R0fO1aQ42@pop3.invalid";
    (void)state;
    check_identity("Message-ID: <a@b>\r\n\r\n", "a@b", false);
    check_identity("message-id:\r\n <a@b> (x)\r\n\r\n", "a@b", false);
    check_identity("Message-ID: a@b\r\n\r\n", "a@b", false);
    check_identity("Message-ID: <a b@c>\r\n\r\n", "", false);
    check_identity("Message-ID: <\"a\"@c>\r\n\r\n", "", false);
    check_identity("Message-ID: <>\r\n\r\n", "", false);
    check_identity("Subject: s\r\n\r\nMessage-ID: <a@b>\r\n", ours, true);
    check_identity("\r\n", ours, true);
    check_identity("", ours, true);
}

static void a_message_of_more_than_google_takes_is_not_sent(void **state)
{
    const p3_gmail_options options = {0};
    p3_problem why = {0};
    const p3_gmail_mail mail = {.name = "n", .fd = -1, .length = P3_GMAIL_MOST + 1};
    p3_gmail_importer *i = p3_gmail_importer_new(&options, &why);
    (void)state;
    assert_int_equal(p3_gmail_import(i, NULL, &mail, &why), P3_GMAIL_REFUSED);
    assert_non_null(strstr(why.text, "157286401 octets, and Google accepts 157286400"));
    p3_gmail_importer_free(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_no_minute_is_more_spent_than_the_quota),
        cmocka_unit_test(those_of_one_name_share_and_others_do_not),
        cmocka_unit_test(a_hold_lets_nobody_through_before_its_end),
        cmocka_unit_test(reasons_come_before_the_status),
        cmocka_unit_test(each_refusal_of_googles_reference_says_what_to_do),
        cmocka_unit_test(a_refusal_that_names_a_time_says_how_long_to_wait),
        cmocka_unit_test(an_error_of_any_shape_is_judged_by_the_status),
        cmocka_unit_test(googles_words_are_one_line_and_cut_between_characters),
        cmocka_unit_test(urls_are_https_and_nothing_behind_the_port),
        cmocka_unit_test(a_message_is_found_by_its_id_or_one_of_ours),
        cmocka_unit_test(a_message_of_more_than_google_takes_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
