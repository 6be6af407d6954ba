/* What a session may cost, counted and never timed: round trips by the benchmark's server, system
 * calls and allocations within this program.
 *
 *     test_costs PATH-OF-BENCH-SERVER
 */
#define _GNU_SOURCE
#include "counted.h"

#include <pop3/pop3.h>

#include "client/client_state.h"

#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MESSAGES 1000

static const char *server_path;

/* A server and a client logged in to it. */
typedef struct bench {
    pid_t server;
    FILE *says; /* the server's output */
    pop3_client *client;
    uint64_t retrieved; /* messages that came whole */
    uint64_t octets;
} bench;

static uint16_t start_server(bench *b, const char *option)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    b->server = fork();
    assert_true(b->server >= 0);
    if (b->server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl(server_path, server_path, "--report", "--messages", "1000", "--size", "4096", option,
              (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    b->says = fdopen(ends[0], "r");
    assert_non_null(b->says);
    char line[100];
    unsigned port;
    assert_non_null(fgets(line, sizeof line, b->says));
    assert_int_equal(sscanf(line, "ready %u", &port), 1);
    return (uint16_t)port;
}

/* Starts a server with an option (NULL: none), and logs in. Waiting is sleeping, unless it is
 * looking for so many microseconds. */
static void begin_looking(bench *b, const char *option, int look_us)
{
    *b = (bench){0};
    pop3_client_options o = POP3_CLIENT_OPTIONS_INIT;
    o.host = "127.0.0.1";
    o.port = start_server(b, option);
    o.security = POP3_SECURITY_PLAIN;
    o.allow_plaintext_password = true;
    assert_int_equal(pop3_client_new(&b->client, &o), POP3_OK);
    b->client->look_us = look_us;
    assert_int_equal(pop3_client_connect(b->client), POP3_OK);
    assert_int_equal(pop3_client_user(b->client, "user"), POP3_OK);
    assert_int_equal(pop3_client_pass(b->client, "pass"), POP3_OK);
}

static void begin(bench *b, const char *option)
{
    begin_looking(b, option, -1);
}

/* Quits, stops the server, and returns how many round trips it has counted. */
static size_t end(bench *b)
{
    char line[400] = "";
    assert_int_equal(pop3_client_quit(b->client), POP3_OK);
    pop3_client_free(b->client);
    assert_non_null(fgets(line, sizeof line, b->says));
    const char *found = strstr(line, " round-trips=");
    assert_non_null(found);
    size_t round_trips = strtoul(found + strlen(" round-trips="), NULL, 10);
    print_message("# the server: %s", line);
    assert_int_equal(kill(b->server, SIGTERM), 0);
    assert_int_equal(waitpid(b->server, NULL, 0), b->server);
    fclose(b->says);
    return round_trips;
}

static pop3_sink_result count_octets(void *ctx, const char *data, size_t len)
{
    bench *b = ctx;
    (void)data;
    b->octets += len;
    return POP3_SINK_CONTINUE;
}

static void count_message(void *ctx, pop3_client *c, const pop3_result *result)
{
    bench *b = ctx;
    (void)c;
    b->retrieved += result->status == POP3_OK;
}

static void retrieve_together(bench *b)
{
    uint32_t numbers[MESSAGES];
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    for (uint32_t i = 0; i < MESSAGES; i++)
        numbers[i] = i + 1;
    handlers.sink = count_octets;
    handlers.done = count_message;
    handlers.ctx = b;
    assert_int_equal(pop3_client_retr_many(b->client, numbers, MESSAGES, &handlers), POP3_OK);
}

static void retrieve_one_by_one(bench *b)
{
    for (uint32_t i = 1; i <= MESSAGES; i++) {
        assert_int_equal(pop3_client_retr(b->client, i, count_octets, b), POP3_OK);
        b->retrieved++;
    }
}

static void assert_all_came(const bench *b, uint64_t times)
{
    assert_int_equal(b->retrieved, times * MESSAGES);
    assert_int_equal(b->octets, times * MESSAGES * 4096);
}

static void a_pipelined_session_of_1000_messages_takes_at_most_10_round_trips(void **state)
{
    bench b;
    pop3_stat drop;
    (void)state;
    begin(&b, NULL);
    assert_int_equal(pop3_client_stat(b.client, &drop), POP3_OK);
    assert_int_equal(drop.count, MESSAGES);
    retrieve_together(&b);
    assert_all_came(&b, 1);
    assert_in_range(end(&b), 3, 10);
}

static void
a_session_of_1000_messages_without_pipelining_takes_at_most_1010_round_trips(void **state)
{
    bench b;
    pop3_stat drop;
    (void)state;
    begin(&b, "--no-pipelining");
    assert_int_equal(pop3_client_stat(b.client, &drop), POP3_OK);
    retrieve_together(&b);
    assert_all_came(&b, 1);
    assert_in_range(end(&b), MESSAGES, MESSAGES + 10);
}

/* TCP and the greeting are not counted. */
static void a_login_that_pipelines_takes_one_round_trip_and_capa_another(void **state)
{
    bench b = {0};
    pop3_client_options o = POP3_CLIENT_OPTIONS_INIT;
    pop3_login_options l = POP3_LOGIN_OPTIONS_INIT;
    pop3_stat drop;
    (void)state;
    o.host = "127.0.0.1";
    o.port = start_server(&b, NULL);
    o.security = POP3_SECURITY_PLAIN;
    l.user = "user";
    l.password = "pass";
    l.mechanism = "USER";
    l.allow_plaintext = l.pipeline = true;
    assert_int_equal(pop3_client_new(&b.client, &o), POP3_OK);
    assert_int_equal(pop3_client_connect(b.client), POP3_OK);
    assert_int_equal(pop3_login(b.client, &l), POP3_OK);
    assert_int_equal(pop3_client_stat(b.client, &drop), POP3_OK);
    retrieve_together(&b);
    assert_all_came(&b, 1);
    assert_int_equal(end(&b), 5); /* CAPA, USER with PASS, STAT, CAPA with all messages, QUIT */
}

static bool count_entry(void *ctx, const pop3_entry *entry, pop3_str line)
{
    (void)entry;
    (void)line;
    ++*(size_t *)ctx;
    return true;
}

static void ask_for_all(bench *b, pop3_command_kind kind, size_t *entries)
{
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    pop3_command command = POP3_COMMAND_INIT;
    handlers.entry = count_entry;
    handlers.ctx = entries;
    command.kind = kind;
    assert_int_equal(pop3_client_submit(b->client, &command, &handlers), POP3_OK);
}

static void sizes_and_unique_ids_come_in_one_round_trip_when_pipelining_is_known(void **state)
{
    bench b;
    size_t entries = 0;
    (void)state;
    begin(&b, NULL);
    assert_int_equal(pop3_client_capa(b.client, NULL), POP3_OK);
    counts before = counted;
    ask_for_all(&b, POP3_CMD_UIDL, &entries);
    ask_for_all(&b, POP3_CMD_LIST, &entries);
    assert_int_equal(pop3_client_run(b.client), POP3_OK);
    assert_int_equal(counted_since(before).sends, 1);
    assert_int_equal(entries, 2 * MESSAGES);
    assert_int_equal(end(&b), 5); /* USER, PASS, CAPA, UIDL with LIST, QUIT */
}

static void the_commands_of_a_pipelined_session_go_out_in_few_writes(void **state)
{
    bench b;
    (void)state;
    begin(&b, NULL);
    counts before = counted;
    retrieve_together(&b);
    counts cost = counted_since(before);
    print_message("# %zu sends for %d messages\n", cost.sends, MESSAGES);
    assert_in_range(cost.sends, 1, 4);
    assert_all_came(&b, 1);
    end(&b);
}

static void a_message_at_a_time_costs_four_system_calls(void **state)
{
    bench b;
    (void)state;
    begin(&b, "--no-pipelining");
    counts before = counted;
    retrieve_one_by_one(&b);
    counts cost = counted_since(before);
    print_message("# %zu sends, %zu receives, %zu waits\n", cost.sends, cost.receives, cost.waits);
    /* A look at what an idle server may have said, the command, a wait, the reply. */
    assert_in_range(system_calls(cost), MESSAGES, 4 * MESSAGES + 4);
    assert_int_equal(cost.sends, MESSAGES);
    assert_all_came(&b, 1);
    end(&b);
}

static void what_comes_whole_is_not_acknowledged_by_a_call_of_its_own(void **state)
{
    bench b;
    (void)state;
    begin(&b, "--no-pipelining");
    counts before = counted;
    for (int i = 0; i < 100; i++)
        assert_int_equal(pop3_client_noop(b.client), POP3_OK);
    assert_int_equal(counted_since(before).acknowledgements, 0);
    end(&b);
}

/* The kernel's count of acknowledgements that it has put off until a timer ran out, in this network
 * namespace. */
static long delayed_acknowledgements(void)
{
    FILE *f = fopen("/proc/self/net/netstat", "r");
    char names[8192], values[8192];
    long found = -1;
    assert_non_null(f);
    while (found < 0 && fgets(names, sizeof names, f) != NULL &&
           fgets(values, sizeof values, f) != NULL) {
        char *rest_n, *rest_v;
        char *name = strtok_r(names, " ", &rest_n);
        char *value = strtok_r(values, " ", &rest_v);
        while (name != NULL && value != NULL && strcmp(name, "DelayedACKs") != 0) {
            name = strtok_r(NULL, " ", &rest_n);
            value = strtok_r(NULL, " ", &rest_v);
        }
        found = name != NULL && value != NULL ? strtol(value, NULL, 10) : -1;
    }
    fclose(f);
    return found;
}

/* Moves to a network of our own, where nobody else's connections are counted. */
static bool be_alone(void)
{
    struct ifreq lo = {.ifr_name = "lo"};
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return false;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool up = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &lo) == 0;
    lo.ifr_flags |= IFF_UP;
    up = up && ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
    close(fd);
    return up;
}

static void a_reply_in_two_pieces_is_acknowledged_at_once(void **state)
{
    bench b;
    (void)state;
    bool alone = be_alone();
    begin(&b, "--by-pieces");
    counts before = counted;
    long delayed = alone ? delayed_acknowledgements() : -1;
    retrieve_one_by_one(&b);
    counts cost = counted_since(before);
    print_message("# %zu acknowledgements for %d messages\n", cost.acknowledgements, MESSAGES);
    /* Two pieces that have come by the time of the first look need none. */
    assert_in_range(cost.acknowledgements, 1, MESSAGES);
    if (delayed >= 0)
        assert_in_range(delayed_acknowledgements() - delayed, 0, MESSAGES / 100);
    else
        print_message("# no network of our own: delayed acknowledgements not counted\n");
    assert_all_came(&b, 1);
    end(&b);
}

/* However often a look costs a poll(2) that does not wait. */
static void looking_for_the_answer_costs_no_more_reads(void **state)
{
    bench b;
    (void)state;
    begin_looking(&b, "--no-pipelining", 1000000);
    counts before = counted;
    retrieve_one_by_one(&b);
    counts cost = counted_since(before);
    print_message("# %zu sends, %zu receives, %zu looks\n", cost.sends, cost.receives, cost.waits);
    assert_int_equal(cost.sends, MESSAGES);
    assert_in_range(cost.receives, MESSAGES, 2 * MESSAGES + 4);
    assert_all_came(&b, 1);
    end(&b);
}

static void nothing_is_allocated_for_a_message_once_a_session_is_under_way(void **state)
{
    bench b;
    (void)state;
    begin(&b, NULL);
    retrieve_together(&b);
    retrieve_one_by_one(&b);
    counts before = counted;
    retrieve_together(&b);
    assert_int_equal(counted_since(before).allocations, 0);
    retrieve_one_by_one(&b);
    assert_int_equal(counted_since(before).allocations, 0);
    assert_all_came(&b, 4);
    end(&b);
}

static void a_listing_allocates_a_few_times_and_not_for_each_message(void **state)
{
    bench b;
    pop3_listing *listing;
    (void)state;
    begin(&b, NULL);
    counts before = counted;
    assert_int_equal(pop3_client_uidl_all(b.client, &listing), POP3_OK);
    counts cost = counted_since(before);
    print_message("# %zu allocations\n", cost.allocations);
    assert_int_equal(listing->count, MESSAGES);
    assert_in_range(cost.allocations, 3, 40);
    pop3_listing_free(listing);
    end(&b);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipelined_session_of_1000_messages_takes_at_most_10_round_trips),
        cmocka_unit_test(
            a_session_of_1000_messages_without_pipelining_takes_at_most_1010_round_trips),
        cmocka_unit_test(a_login_that_pipelines_takes_one_round_trip_and_capa_another),
        cmocka_unit_test(sizes_and_unique_ids_come_in_one_round_trip_when_pipelining_is_known),
        cmocka_unit_test(the_commands_of_a_pipelined_session_go_out_in_few_writes),
        cmocka_unit_test(a_message_at_a_time_costs_four_system_calls),
        cmocka_unit_test(looking_for_the_answer_costs_no_more_reads),
        cmocka_unit_test(nothing_is_allocated_for_a_message_once_a_session_is_under_way),
        cmocka_unit_test(what_comes_whole_is_not_acknowledged_by_a_call_of_its_own),
        cmocka_unit_test(a_listing_allocates_a_few_times_and_not_for_each_message),
        cmocka_unit_test(a_reply_in_two_pieces_is_acknowledged_at_once),
    };
    if (argc != 2) {
        fprintf(stderr, "usage: test_costs PATH-OF-BENCH-SERVER\n");
        return EXIT_FAILURE;
    }
    server_path = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
