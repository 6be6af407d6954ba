/* pop3_client_survey() with maildrops as servers may show them. A server that reads from a
 * transcript answers: its n-th line gets the n-th answer, whatever it says. */
#define _GNU_SOURCE
#include "counted.h"

#include <pop3/pop3.h>

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What is answered to UIDL, LIST and NOOP, after USER and PASS; the last answer is QUIT's too. */
typedef struct answers {
    const char *uidl;
    const char *list;
} answers;

_Noreturn static void play(int listener, const answers *a)
{
    const char *lines[] = {"+OK\r\n", "+OK\r\n", a->uidl, a->list, "+OK\r\n", "+OK\r\n"};
    char line[512];
    int fd = accept(listener, NULL, NULL);
    FILE *in = fdopen(fd, "r");
    if (in == NULL || write(fd, "+OK\r\n", 5) != 5)
        _exit(1);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        size_t len = strlen(lines[i]);
        if (fgets(line, sizeof line, in) == NULL)
            _exit(0);
        if (write(fd, lines[i], len) != (ssize_t)len)
            _exit(1);
    }
    _exit(0);
}

static pid_t start(const answers *a, uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin_port);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        play(listener, a);
    }
    close(listener);
    return pid;
}

/* Logs in, surveys while `allocations` succeed, and says whether the connection was good after
 * that.
 */
static pop3_status survey(const answers *a, long allocations, pop3_survey **out, bool *good)
{
    pop3_client_options o = POP3_CLIENT_OPTIONS_INIT;
    pop3_client *c;
    pid_t server = start(a, &o.port);
    o.host = "127.0.0.1";
    o.security = POP3_SECURITY_PLAIN;
    o.allow_plaintext_password = true;
    o.engine.pipelining = POP3_PIPELINING_ON;
    assert_int_equal(pop3_client_new(&c, &o), POP3_OK);
    assert_int_equal(pop3_client_connect(c), POP3_OK);
    assert_int_equal(pop3_client_user(c, "user"), POP3_OK);
    assert_int_equal(pop3_client_pass(c, "pass"), POP3_OK);
    allocations_left = allocations;
    pop3_status status = pop3_client_survey(c, out);
    allocations_left = -1;
    *good = pop3_client_noop(c) == POP3_OK;
    if (status != POP3_OK) {
        assert_null(*out);
        assert_int_not_equal(pop3_client_error(c)->message[0], '\0');
    }
    pop3_client_free(c);
    kill(server, SIGKILL);
    assert_int_equal(waitpid(server, NULL, 0), server);
    return status;
}

static pop3_survey *survey_of(const char *uidl, const char *list)
{
    bool good;
    pop3_survey *v;
    answers a = {uidl, list};
    assert_int_equal(survey(&a, -1, &v, &good), POP3_OK);
    assert_true(good);
    return v;
}

static void assert_entry(const pop3_survey *v, size_t i, uint32_t number, uint64_t octets,
                         const char *uid)
{
    pop3_entry e = pop3_survey_entry(v, i);
    assert_int_equal(e.number, number);
    assert_int_equal(e.octets, octets);
    assert_int_equal(e.uid.len, strlen(uid));
    if (e.uid.len > 0)
        assert_string_equal(e.uid.data, uid);
}

static void numbers_sizes_and_unique_ids_come_together(void **state)
{
    (void)state;
    pop3_survey *v =
        survey_of("+OK\r\n1 a\r\n2 bcd\r\n3 e\r\n.\r\n", "+OK\r\n1 100\r\n2 200\r\n3 300\r\n.\r\n");
    assert_int_equal(pop3_survey_count(v), 3);
    assert_entry(v, 0, 1, 100, "a");
    assert_entry(v, 1, 2, 200, "bcd");
    assert_entry(v, 2, 3, 300, "e");
    assert_entry(v, 3, 0, 0, "");
    pop3_survey_free(v);
}

static void an_empty_maildrop_has_an_empty_survey(void **state)
{
    (void)state;
    pop3_survey *v = survey_of("+OK\r\n.\r\n", "+OK\r\n.\r\n");
    assert_int_equal(pop3_survey_count(v), 0);
    assert_entry(v, 0, 0, 0, "");
    pop3_survey_free(v);
    pop3_survey_free(NULL);
}

static void numbers_may_have_gaps(void **state)
{
    (void)state;
    pop3_survey *v = survey_of("+OK\r\n1 a\r\n5 b\r\n4000000000 c\r\n.\r\n",
                               "+OK\r\n1 100\r\n5 500\r\n4000000000 4\r\n.\r\n");
    assert_int_equal(pop3_survey_count(v), 3);
    assert_entry(v, 0, 1, 100, "a");
    assert_entry(v, 1, 5, 500, "b");
    assert_entry(v, 2, 4000000000U, 4, "c");
    pop3_survey_free(v);
}

static void listings_in_any_order_come_out_sorted(void **state)
{
    (void)state;
    pop3_survey *v = survey_of("+OK\r\n3 ccc\r\n1 a\r\n4 dddd\r\n2 bb\r\n.\r\n",
                               "+OK\r\n2 200\r\n4 400\r\n1 100\r\n3 300\r\n.\r\n");
    assert_int_equal(pop3_survey_count(v), 4);
    assert_entry(v, 0, 1, 100, "a");
    assert_entry(v, 1, 2, 200, "bb");
    assert_entry(v, 2, 3, 300, "ccc");
    assert_entry(v, 3, 4, 400, "dddd");
    pop3_survey_free(v);
}

static void what_only_one_listing_knows_is_there_too(void **state)
{
    (void)state;
    pop3_survey *v = survey_of("+OK\r\n1 a\r\n3 c\r\n.\r\n", "+OK\r\n1 100\r\n2 200\r\n.\r\n");
    assert_int_equal(pop3_survey_count(v), 3);
    assert_entry(v, 0, 1, 100, "a");
    assert_entry(v, 1, 3, 0, "c");
    assert_entry(v, 2, 2, 200, "");
    pop3_survey_free(v);
}

static void sizes_of_4_gib_and_more_are_kept_whole(void **state)
{
    (void)state;
    pop3_survey *v =
        survey_of("+OK\r\n1 a\r\n2 b\r\n3 c\r\n.\r\n",
                  "+OK\r\n1 4294967295\r\n2 18446744073709551615\r\n3 7\r\n4 4294967296\r\n.\r\n");
    assert_entry(v, 0, 1, 4294967295U, "a");
    assert_entry(v, 1, 2, UINT64_MAX, "b");
    assert_entry(v, 2, 3, 7, "c");
    assert_entry(v, 3, 4, UINT64_C(4294967296), "");
    pop3_survey_free(v);
}

static void a_refusal_of_either_command_is_told_and_the_connection_stays_good(void **state)
{
    static const answers refusals[] = {
        {"-ERR no UIDL here\r\n", "+OK\r\n1 100\r\n.\r\n"},
        {"+OK\r\n1 a\r\n.\r\n", "-ERR no\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        pop3_survey *v;
        bool good;
        assert_int_equal(survey(&refusals[i], -1, &v, &good), POP3_ERR_REFUSED);
        assert_true(good);
    }
}

static void a_listing_that_makes_no_sense_ends_the_connection(void **state)
{
    static const answers nonsense = {"+OK\r\nx a\r\n.\r\n", "+OK\r\n1 100\r\n.\r\n"};
    pop3_survey *v;
    bool good;
    (void)state;
    assert_int_equal(survey(&nonsense, -1, &v, &good), POP3_ERR_PROTOCOL);
    assert_false(good);
}

static void any_allocation_may_fail_and_nothing_else_does(void **state)
{
    static const answers odd = {"+OK\r\n9 i\r\n1 a\r\n.\r\n",
                                "+OK\r\n1 100\r\n2 4294967296\r\n9 900\r\n.\r\n"};
    long failures = 0;
    (void)state;
    for (;; failures++) {
        pop3_survey *v;
        bool good;
        pop3_status status = survey(&odd, failures, &v, &good);
        if (status == POP3_OK) {
            assert_int_equal(pop3_survey_count(v), 3);
            pop3_survey_free(v);
            break;
        }
        assert_int_equal(status, POP3_ERR_MEMORY);
    }
    print_message("# %ld allocations failed in turn\n", failures);
    assert_in_range(failures, 1, 40);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_sizes_and_unique_ids_come_together),
        cmocka_unit_test(an_empty_maildrop_has_an_empty_survey),
        cmocka_unit_test(numbers_may_have_gaps),
        cmocka_unit_test(listings_in_any_order_come_out_sorted),
        cmocka_unit_test(what_only_one_listing_knows_is_there_too),
        cmocka_unit_test(sizes_of_4_gib_and_more_are_kept_whole),
        cmocka_unit_test(a_refusal_of_either_command_is_told_and_the_connection_stays_good),
        cmocka_unit_test(a_listing_that_makes_no_sense_ends_the_connection),
        cmocka_unit_test(any_allocation_may_fail_and_nothing_else_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
