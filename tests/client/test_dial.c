/* Connecting to one of many addresses (RFC 8305): their order, when each is tried, and what the end
 * is. Time is what the test says it is. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/dial.h"

/* What a resolver might answer. */
typedef struct answer {
    struct sockaddr_storage at[20];
    struct addrinfo list[20];
    size_t count;
} answer;

static void add(answer *a, const char *address, uint16_t port)
{
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&a->at[a->count];
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)&a->at[a->count];
    struct addrinfo *to = &a->list[a->count];
    *to = (struct addrinfo){.ai_addr = (struct sockaddr *)&a->at[a->count]};
    if (strchr(address, ':') != NULL) {
        *six = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
        assert_int_equal(inet_pton(AF_INET6, address, &six->sin6_addr), 1);
        to->ai_addrlen = sizeof *six;
    } else {
        *four = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
        assert_int_equal(inet_pton(AF_INET, address, &four->sin_addr), 1);
        to->ai_addrlen = sizeof *four;
    }
    to->ai_family = to->ai_addr->sa_family;
    if (a->count > 0)
        a->list[a->count - 1].ai_next = to;
    a->count++;
}

/* A socket on an address of this host, listening or only keeping the port from others. */
static int hold(const char *address, uint16_t *port, bool listening)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(*port)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(inet_pton(AF_INET, address, &at.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin_port);
    if (listening)
        assert_int_equal(listen(fd, 4), 0);
    return fd;
}

/* Waits until one of the attempts has got somewhere. */
static void wait_for(const p3_dial *d)
{
    p3_wait_set set = {.count = 0};
    struct pollfd fds[P3_MAX_WAITS];
    p3_dial_waits(d, &set);
    for (size_t i = 0; i < set.count; i++)
        fds[i] = (struct pollfd){.fd = set.at[i].fd, .events = POLLOUT};
    assert_true(poll(fds, (nfds_t)set.count, 10000) > 0);
}

/* Steps, with the clock standing still, until it is over. */
static pop3_status until_over(p3_dial *d, int64_t now, char *where, size_t size)
{
    const p3_socket_address *peer = NULL;
    int fd = -1;
    pop3_status status;
    while ((status = p3_dial_step(d, now, &fd, &peer)) == POP3_PENDING)
        wait_for(d);
    if (status == POP3_OK) {
        p3_socket_address_text(peer, where, size);
        assert_int_equal(close(fd), 0);
    }
    return status;
}

/* The order of the addresses, as text. */
static void is_order(const p3_dial *d, const char *const *expected)
{
    size_t i = 0;
    for (; expected[i] != NULL; i++) {
        char text[100];
        assert_true(i < d->count);
        p3_socket_address_text(&d->addresses[i], text, sizeof text);
        assert_string_equal(text, expected[i]);
    }
    assert_int_equal(d->count, i);
}

static void the_families_take_turns_and_the_resolvers_first_leads(void **state)
{
    static const char *const order[] = {"[::1]:110",     "127.0.0.1:110", "[::2]:110",
                                        "127.0.0.2:110", "[::3]:110",     NULL};
    answer a = {.count = 0};
    p3_dial d;
    (void)state;
    add(&a, "::1", 110);
    add(&a, "::2", 110);
    add(&a, "::3", 110);
    add(&a, "127.0.0.1", 110);
    add(&a, "127.0.0.2", 110);
    p3_dial_begin(&d, a.list);
    is_order(&d, order);
}

static void more_addresses_than_there_is_room_for_are_left_out(void **state)
{
    answer a = {.count = 0};
    p3_dial d;
    (void)state;
    for (int i = 0; i < 20; i++)
        add(&a, "127.0.0.1", 110);
    p3_dial_begin(&d, a.list);
    assert_int_equal(d.count, P3_DIAL_ADDRESSES);
}

static void only_addresses_of_the_local_ones_family_are_tried(void **state)
{
    static const char *const four[] = {"127.0.0.1:110", "127.0.0.2:110", NULL};
    static const char *const six[] = {"[::1]:110", NULL};
    answer a = {.count = 0};
    p3_dial d;
    (void)state;
    add(&a, "::1", 110);
    add(&a, "127.0.0.1", 110);
    add(&a, "127.0.0.2", 110);
    p3_dial_begin(&d, a.list);
    assert_true(p3_dial_bind(&d, "127.0.0.3"));
    is_order(&d, four);
    p3_dial_begin(&d, a.list);
    assert_true(p3_dial_bind(&d, "::1"));
    is_order(&d, six);
}

static void a_refused_address_is_followed_by_the_next_at_once(void **state)
{
    answer a = {.count = 0};
    p3_dial d;
    char where[100] = "", expected[100];
    uint16_t port = 0;
    (void)state;
    int refusing = hold("127.0.0.1", &port, false);
    int listening = hold("127.0.0.2", &port, true);
    add(&a, "127.0.0.1", port);
    add(&a, "127.0.0.2", port);
    p3_dial_begin(&d, a.list);
    assert_int_equal(until_over(&d, 0, where, sizeof where), POP3_OK);
    snprintf(expected, sizeof expected, "127.0.0.2:%u", (unsigned)port);
    assert_string_equal(where, expected);
    close(refusing);
    close(listening);
}

static void when_all_fail_the_last_error_is_told(void **state)
{
    answer a = {.count = 0};
    p3_dial d;
    char where[100];
    uint16_t port = 0;
    (void)state;
    int refusing = hold("127.0.0.1", &port, false);
    add(&a, "127.0.0.1", port);
    add(&a, "127.0.0.1", port);
    p3_dial_begin(&d, a.list);
    assert_int_equal(until_over(&d, 0, where, sizeof where), POP3_ERR_CONNECT);
    assert_int_equal(d.error, ECONNREFUSED);
    p3_dial_begin(&d, NULL);
    assert_int_equal(until_over(&d, 0, where, sizeof where), POP3_ERR_CONNECT);
    assert_int_equal(d.error, EADDRNOTAVAIL);
    close(refusing);
}

/* An attempt that hears nothing is played by a pipe's end to read from, which never takes octets.
 */
static void a_silent_address_is_overtaken_after_the_delay_and_given_up(void **state)
{
    answer a = {.count = 0};
    p3_dial d;
    const p3_socket_address *peer;
    char where[100] = "", expected[100];
    uint16_t port = 0;
    int fd = -1;
    int ends[2];
    (void)state;
    int listening = hold("127.0.0.2", &port, true);
    add(&a, "127.0.0.1", port);
    add(&a, "127.0.0.2", port);
    p3_dial_begin(&d, a.list);
    assert_int_equal(pipe(ends), 0);
    d.attempts[d.under_way].fd = ends[0];
    d.attempts[d.under_way++].address = d.next++;
    d.next_at = 1250;
    p3_wait_set set = {.count = 0};
    assert_int_equal(p3_dial_waits(&d, &set), 1250);
    assert_int_equal(set.count, 1);
    assert_int_equal(p3_dial_step(&d, 1249, &fd, &peer), POP3_PENDING);
    assert_int_equal(d.under_way, 1);
    assert_int_equal(p3_dial_step(&d, 1250, &fd, &peer), POP3_PENDING);
    assert_int_equal(d.under_way, 2);
    set.count = 0;
    assert_true(p3_dial_waits(&d, &set) > 1250); /* there is no third */
    assert_int_equal(until_over(&d, 1250, where, sizeof where), POP3_OK);
    snprintf(expected, sizeof expected, "127.0.0.2:%u", (unsigned)port);
    assert_string_equal(where, expected);
    assert_int_equal(d.under_way, 0);
    assert_int_equal(write(ends[1], "", 1), -1); /* the other end has been closed */
    close(ends[1]);
    close(listening);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_families_take_turns_and_the_resolvers_first_leads),
        cmocka_unit_test(more_addresses_than_there_is_room_for_are_left_out),
        cmocka_unit_test(only_addresses_of_the_local_ones_family_are_tried),
        cmocka_unit_test(a_refused_address_is_followed_by_the_next_at_once),
        cmocka_unit_test(when_all_fail_the_last_error_is_told),
        cmocka_unit_test(a_silent_address_is_overtaken_after_the_delay_and_given_up),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
