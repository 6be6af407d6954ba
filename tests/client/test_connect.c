/* Connecting: addresses, names, sockets, deadlines, greetings, and connecting again. */
#define _POSIX_C_SOURCE 200809L
#include "support/guard.h"
#include "support/suite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* A socket that keeps a port of 127.0.0.1 from others and does not listen: connections are refused.
 */
static int deserted_port(uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

/* Lets the client connect to a socket of the test's own, and greets it. Returns the accepted
 * socket. */
static int accept_and_greet(pop3_client *c, int listener, struct sockaddr_storage *peer)
{
    static const char greeting[] = "+OK here\r\n";
    struct pollfd waiting = {.fd = listener, .events = POLLIN};
    socklen_t len = sizeof *peer;
    assert_status(POP3_OK, pop3_client_start(c));
    assert_status(POP3_PENDING, pop3_client_step(c));
    assert_int_equal(poll(&waiting, 1, PROCESS_PATIENCE), 1);
    int fd = accept(listener, (struct sockaddr *)peer, &len);
    assert_true(fd >= 0);
    assert_int_equal(send(fd, greeting, strlen(greeting), MSG_NOSIGNAL), (int)strlen(greeting));
    assert_ok(c, pop3_client_run(c));
    return fd;
}

static void an_ipv4_address_is_connected_to(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK hello <1.2@host>'; expect 'QUIT'; line '+OK'", NULL);
    pop3_client *c = client_connected(f);
    assert_str(pop3_client_greeting(c), "+OK hello <1.2@host>");
    assert_int_equal(pop3_client_state(c), POP3_STATE_AUTHORIZATION);
    assert_ok(c, pop3_client_quit(c));
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
}

/* Whether this machine has ::1: a kernel may be without IPv6, a container without its addresses. */
static bool has_ipv6(void)
{
    struct sockaddr_in6 any_port = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&any_port, sizeof any_port) == 0;
    if (fd >= 0)
        close(fd);
    return bound;
}

static void an_ipv6_address_is_connected_to(void **state)
{
    fixture *f = *state;
    if (!has_ipv6())
        skip();
    play(f, "line '+OK'; expect 'NOOP'; line '-ERR'", "--bind", "::1", NULL);
    f->options.host = "::1";
    pop3_client *c = client_connected(f);
    char place[40];
    snprintf(place, sizeof place, "[::1]:%u: NOOP: ", (unsigned)f->options.port);
    assert_status(POP3_ERR_REFUSED, pop3_client_noop(c));
    assert_error(c, POP3_ERR_REFUSED, place);
}

static void a_name_is_resolved_and_each_of_its_addresses_tried(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect-eof", NULL); /* on 127.0.0.1 alone, and localhost may be ::1 too */
    f->options.host = "localhost";
    client_connected(f);
}

static void a_name_without_an_address_is_a_resolve_error(void **state)
{
    needs_tls();
    fixture *f = *state;
    f->options.host = "no-such-host.invalid";
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_RESOLVE, pop3_client_connect(c));
    assert_error(c, POP3_ERR_RESOLVE, "no-such-host.invalid:995: resolving the host name: ");
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
}

/* A resolver of the caller's, which gives as many of these as its context says. */
static size_t give_addresses(void *ctx, const char *host, struct sockaddr_storage *addresses,
                             const char **why)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = 1};
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (strcmp(host, "mail.example") != 0)
        return 0;
    memset(addresses, 0, POP3_RESOLVE_ADDRESSES * sizeof *addresses); /* of no family */
    memcpy(&addresses[1], &here, sizeof here);
    *why = "the hosts are out";
    return *(const size_t *)ctx;
}

static void options_that_cannot_be_used_are_told_in_words(void **state)
{
    (void)state;
    pop3_client *c = NULL;
    pop3_client_options o = POP3_CLIENT_OPTIONS_INIT;
    assert_string_equal(pop3_client_options_problem(&o), "no host and no Unix-domain socket given");
    assert_status(POP3_ERR_ARGUMENT, pop3_client_new(&c, &o));
    o.host = "mail.example.org";
    assert_null(pop3_client_options_problem(&o));
    o.proxy = POP3_PROXY_HTTP;
    assert_string_equal(pop3_client_options_problem(&o), "no host given for the proxy");
    o.proxy = POP3_PROXY_NONE;
    o.local_address = "localhost";
    assert_non_null(strstr(pop3_client_options_problem(&o), "local address"));
    o.local_address = NULL;
    o.engine.limits.reply_line = 511;
    assert_non_null(strstr(pop3_client_options_problem(&o), "least value"));
    o.engine.limits.reply_line = 0;
    o.engine.size--;
    assert_non_null(strstr(pop3_client_options_problem(&o), "POP3_CLIENT_OPTIONS_INIT"));
    o.engine.size++;
    o.size--;
    assert_non_null(strstr(pop3_client_options_problem(&o), "POP3_CLIENT_OPTIONS_INIT"));
}

/* A program's options as a version has them that has `less` octets in the engine's and `fewer` in
 * its own; negative: it has more. */
static pop3_client_options *options_of_another_version(const pop3_client_options *o, ptrdiff_t less,
                                                       ptrdiff_t fewer)
{
    size_t before = offsetof(pop3_client_options, engine);
    size_t engine = (size_t)((ptrdiff_t)sizeof o->engine - less);
    size_t behind = sizeof *o - before - sizeof o->engine;
    char *other = calloc(1, sizeof *o * 2);
    assert_non_null(other);
    memcpy(other, o, before);
    memcpy(other + before, &o->engine, less > 0 ? engine : sizeof o->engine);
    memcpy(other + before, &engine, sizeof engine);
    memcpy(other + before + engine, (const char *)o + sizeof *o - behind,
           fewer > 0 ? behind - (size_t)fewer : behind);
    size_t size = (size_t)((ptrdiff_t)(before + engine + behind) - fewer);
    memcpy(other, &size, sizeof size);
    return (pop3_client_options *)(void *)other;
}

static void options_of_another_version_are_understood(void **state)
{
    static const ptrdiff_t differences[] = {0, 8, -8, 16, -16};
    (void)state;
    pop3_client_options o = POP3_CLIENT_OPTIONS_INIT;
    o.host = "mail.example.org";
    o.security = POP3_SECURITY_PLAIN; /* which every build has */
    o.proxy = POP3_PROXY_HTTP;
    o.proxy_host = "two words";
    for (size_t i = 0; i < 25; i++) {
        ptrdiff_t less = differences[i / 5], fewer = differences[i % 5];
        pop3_client_options *other = options_of_another_version(&o, less, fewer);
        assert_non_null(strstr(pop3_client_options_problem(other), "proxy's host name"));
        free(other);
    }
    o.proxy = POP3_PROXY_NONE;
    pop3_client *c = NULL;
    pop3_client_options *newer = options_of_another_version(&o, -8, -8);
    assert_ok(c, pop3_client_new(&c, newer));
    pop3_client_free(c);
    ((char *)newer)[newer->size - 1] = 1; /* an option that we do not know is asked for */
    assert_status(POP3_ERR_ARGUMENT, pop3_client_new(&c, newer));
    free(newer);
}

static void a_name_is_looked_up_by_the_callers_resolver(void **state)
{
    static size_t count = 2;
    fixture *f = *state;
    play(f, "line '+OK'; expect-eof", NULL);
    f->options.host = "mail.example";
    f->options.resolve = give_addresses;
    f->options.resolve_ctx = &count;
    client_connected(f);
}

/* As if another thread of the program forked while a name is looked up: the child has all its
 * descriptors. */
static pid_t child;

static size_t give_addresses_and_fork(void *ctx, const char *host,
                                      struct sockaddr_storage *addresses, const char **why)
{
    child = fork();
    while (child == 0)
        pause();
    return give_addresses(ctx, host, addresses, why);
}

static void a_child_that_was_forked_meanwhile_does_not_delay_an_answer(void **state)
{
    static size_t count = 2;
    fixture *f = *state;
    play(f, "line '+OK'; expect-eof", NULL);
    f->options.host = "mail.example";
    f->options.resolve = give_addresses_and_fork;
    f->options.resolve_ctx = &count;
    pop3_client *c = client_new(f);
    pop3_status connected = pop3_client_connect(c);
    assert_true(child > 0); /* kill(2) means others by 0 and -1 */
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_status(POP3_OK, connected);
}

static void what_the_callers_resolver_cannot_say_is_a_resolve_error(void **state)
{
    needs_tls();
    static const struct {
        size_t count;
        const char *host, *error;
    } cases[] = {
        {0, "mail.example", "mail.example:995: resolving the host name: the hosts are out"},
        {1, "mail.example", "mail.example:995: resolving the host name: "}, /* of no family */
        {0, "mail2.example", "mail2.example:995: resolving the host name: no address"},
    };
    fixture *f = *state;
    f->options.resolve = give_addresses;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t count = cases[i].count;
        f->options.host = cases[i].host;
        f->options.resolve_ctx = &count;
        pop3_client *c = client_new(f);
        assert_status(POP3_ERR_RESOLVE, pop3_client_connect(c));
        assert_error(c, POP3_ERR_RESOLVE, cases[i].error);
    }
}

/* How a client's sockets were asked for. */
typedef struct asked {
    unsigned count;
    bool from;
    int error; /* what it fails with, or 0 */
} asked;

/* Connects in place of the client, which has no say in how. */
static int connect_instead(void *ctx, const struct sockaddr_storage *to,
                           const struct sockaddr_storage *from)
{
    asked *a = ctx;
    int fd = -1;
    a->count++;
    a->from = from != NULL;
    errno = a->error;
    if (a->error == 0)
        fd = socket(to->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        (void)connect(fd, (const struct sockaddr *)to, sizeof(struct sockaddr_in));
    return fd;
}

static void the_callers_function_connects_instead(void **state)
{
    asked a = {0};
    fixture *f = *state;
    play(f, "line '+OK'; expect-eof", NULL);
    f->options.connect = connect_instead;
    f->options.connect_ctx = &a;
    f->options.local_address = "127.0.0.1";
    client_connected(f);
    assert_int_equal(a.count, 1);
    assert_true(a.from);
}

static void what_the_callers_function_fails_with_is_the_error(void **state)
{
    asked a = {.error = EDQUOT};
    fixture *f = *state;
    f->options.security = POP3_SECURITY_PLAIN;
    f->options.host = "127.0.0.1";
    f->options.port = 1;
    f->options.connect = connect_instead;
    f->options.connect_ctx = &a;
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_CONNECT, pop3_client_connect(c));
    assert_error(c, POP3_ERR_CONNECT, strerror(EDQUOT));
    assert_int_equal(a.count, 1);
    assert_false(a.from);
}

/* What a name server that does not answer comes to, or one that knows no such name. */
static size_t fail_as_getaddrinfo(void *ctx, const char *host, struct sockaddr_storage *addresses,
                                  const char **why)
{
    (void)host;
    (void)addresses;
    *why = gai_strerror(*(const int *)ctx);
    return 0;
}

static void a_name_server_that_does_not_answer_is_a_temporary_resolve_error(void **state)
{
    static int errors[] = {EAI_AGAIN, EAI_NONAME};
    needs_tls();
    fixture *f = *state;
    f->options.host = "mail.example";
    f->options.resolve = fail_as_getaddrinfo;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        f->options.resolve_ctx = &errors[i];
        pop3_client *c = client_new(f);
        assert_status(POP3_ERR_RESOLVE, pop3_client_connect(c));
        assert_int_equal(pop3_client_error(c)->temporary, errors[i] == EAI_AGAIN);
    }
}

static void a_resolution_that_is_given_up_leaves_nothing_behind(void **state)
{
    fixture *f = *state;
    f->options.security = POP3_SECURITY_PLAIN;
    f->options.host = "localhost";
    f->options.port = 1;
    pop3_client *c = client_started(f);
    pop3_waitable waits[POP3_MAX_WAITABLES];
    assert_int_equal(pop3_client_waitables(c, waits, POP3_MAX_WAITABLES), 2);
    /* The resolver's thread closes its own end of the pipe when it is done, whoever waits for it.
     */
    int answer = dup(waits[0].fd);
    pop3_client_close(c);
    struct pollfd waiting = {.fd = answer, .events = POLLIN};
    assert_int_equal(poll(&waiting, 1, PROCESS_PATIENCE), 1);
    close(answer);
    /* The last thing it does is to give up the other end. */
    while (guard_descriptors() > f->descriptors + 2)
        sched_yield();
}

static void a_refused_port_is_a_connect_error_with_errno(void **state)
{
    fixture *f = *state;
    f->options.security = POP3_SECURITY_PLAIN;
    f->options.host = "127.0.0.1";
    int held = deserted_port(&f->options.port);
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_CONNECT, pop3_client_connect(c));
    assert_error(c, POP3_ERR_CONNECT, ": connecting: Connection refused");
    assert_int_equal(pop3_client_error(c)->sys_errno, ECONNREFUSED);
    assert_status(POP3_ERR_CONNECT, pop3_client_step(c));
    close(held);
}

static void a_unix_domain_socket_takes_the_place_of_host_and_port(void **state)
{
    fixture *f = *state;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct sockaddr_storage peer;
    char got[64];
    snprintf(at.sun_path, sizeof at.sun_path, "%s", scratch_file("socket"));
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 1), 0);
    f->options.unix_socket = at.sun_path;
    f->options.security = POP3_SECURITY_PLAIN;
    pop3_client *c = client_new(f);
    int fd = accept_and_greet(c, listener, &peer);
    /* Nobody is on the way to listen: the password may be sent. */
    pop3_command pass = POP3_COMMAND_INIT;
    pass.kind = POP3_CMD_PASS;
    pass.text = (pop3_str){"secret", 6};
    assert_status(POP3_OK, pop3_client_submit(c, &pass, NULL));
    assert_status(POP3_PENDING, pop3_client_step(c));
    assert_int_equal(recv(fd, got, sizeof got, 0), 13);
    assert_memory_equal(got, "PASS secret\r\n", 13);
    close(fd);
    close(listener);
    unlink(at.sun_path);
    assert_status(POP3_ERR_CLOSED, pop3_client_run(c));
    assert_error(c, POP3_ERR_CLOSED, at.sun_path);
}

static void a_unix_domain_socket_that_is_not_there_is_a_connect_error(void **state)
{
    fixture *f = *state;
    f->options.unix_socket = scratch_file("nobody");
    f->options.security = POP3_SECURITY_PLAIN;
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_CONNECT, pop3_client_connect(c));
    assert_int_equal(pop3_client_error(c)->sys_errno, ENOENT);
}

static void the_local_address_is_the_one_connected_from(void **state)
{
    fixture *f = *state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_storage peer;
    socklen_t len = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    f->options.host = "127.0.0.1";
    f->options.port = ntohs(at.sin_port);
    f->options.local_address = "127.0.0.2";
    f->options.security = POP3_SECURITY_PLAIN;
    int fd = accept_and_greet(client_new(f), listener, &peer);
    const struct sockaddr_in *from = (const struct sockaddr_in *)(const void *)&peer;
    assert_int_equal(ntohl(from->sin_addr.s_addr), 0x7F000002);
    close(fd);
    close(listener);
}

static void a_local_address_of_the_other_family_is_a_connect_error(void **state)
{
    fixture *f = *state;
    f->options.security = POP3_SECURITY_PLAIN;
    f->options.host = "127.0.0.1";
    int held = deserted_port(&f->options.port);
    f->options.local_address = "::1";
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_CONNECT, pop3_client_connect(c));
    assert_int_equal(pop3_client_error(c)->sys_errno, EAFNOSUPPORT);
    close(held);
}

/* Under TLS, the time must first be enough for the handshake: as much as this machine needs,
 * emulated or busy. */
/* Connects with ever more time until the connection gets as far as `stage`; how it failed there. */
static pop3_status connect_until(fixture *f, const char *stage)
{
    pop3_status status;
    f->options.connect_timeout_ms = 25;
    do {
        f->options.connect_timeout_ms *= 2;
        status = pop3_client_connect(client_new(f));
    } while (status == POP3_ERR_TIMEOUT &&
             strstr(pop3_client_error(f->client)->message, stage) == NULL &&
             f->options.connect_timeout_ms < PROCESS_PATIENCE);
    return status;
}

static void a_server_that_never_greets_times_out(void **state)
{
    fixture *f = *state;
    char expected[120];
    serve(f, "expect-eof", NULL);
    assert_status(POP3_ERR_TIMEOUT, connect_until(f, "greeting"));
    pop3_client *c = f->client;
    snprintf(expected, sizeof expected,
             "waiting for the greeting: the server did not answer within %d ms",
             f->options.connect_timeout_ms);
    assert_error(c, POP3_ERR_TIMEOUT, expected);
    bool is_tls = f->options.security == POP3_SECURITY_TLS;
    assert_int_equal(pop3_client_error(c)->tls,
                     is_tls ? POP3_TLS_FAULT_NONE : POP3_TLS_FAULT_EXPECTED);
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
    assert_status(POP3_ERR_STATE, pop3_client_noop(c));
}

static void a_handshake_without_an_answer_times_out(void **state)
{
    needs_tls();
    fixture *f = *state;
    f->may_complain = true; /* the client's first flight is no line of POP3 */
    serve(f, "expect-silence 60000", NULL);
    f->options.security = POP3_SECURITY_TLS;
    f->options.tls = trusting(f);
    pop3_status status = connect_until(f, "TLS handshake");
    /* The server gives up as soon as something comes, or waits for more. */
    assert_true(status == POP3_ERR_TIMEOUT || status == POP3_ERR_CLOSED);
    assert_error(f->client, status, "TLS handshake");
}

static void without_a_limit_there_is_no_deadline(void **state)
{
    fixture *f = *state;
    play(f, "expect-eof", NULL);
    f->options.connect_timeout_ms = -1;
    pop3_client *c = client_new(f);
    assert_int_equal(pop3_client_deadline(c), -1);
    assert_status(POP3_OK, pop3_client_start(c));
    pop3_client_step(c); /* connects, or has begun to */
    assert_int_equal(pop3_client_deadline(c), -1);
}

static void a_refusing_greeting_is_refused_with_its_text(void **state)
{
    fixture *f = *state;
    play(f, "line '-ERR [SYS/TEMP] come back later'; expect-eof", NULL);
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_REFUSED, pop3_client_connect(c));
    assert_error(c, POP3_ERR_REFUSED, "greeting: ");
    assert_error(c, POP3_ERR_REFUSED, "[SYS/TEMP] come back later");
    assert_int_equal(pop3_client_error(c)->code, POP3_CODE_SYS_TEMP);
    assert_string_equal(pop3_client_error(c)->server_text, "come back later");
    assert_str(pop3_client_greeting(c), "-ERR [SYS/TEMP] come back later");
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
}

static void a_greeting_of_another_protocol_is_a_protocol_error(void **state)
{
    fixture *f = *state;
    play(f, "line '220 mail.example.org ESMTP'; expect-eof", NULL);
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_PROTOCOL, pop3_client_connect(c));
    assert_error(c, POP3_ERR_PROTOCOL, "220 mail.example.org ESMTP");
}

static void a_greeting_without_an_end_meets_the_limit(void **state)
{
    fixture *f = *state;
    play(f, "send '+OK '; fill 20000 'x'; expect-eof", NULL);
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_LIMIT, pop3_client_connect(c));
    assert_error(c, POP3_ERR_LIMIT, "longer than the limit");
}

static void a_greeting_in_single_octets_is_whole(void **state)
{
    fixture *f = *state;
    play(f, "split 1; line '+OK bit by bit'; expect-eof", NULL);
    assert_str(pop3_client_greeting(client_connected(f)), "+OK bit by bit");
}

static void a_server_that_closes_before_its_greeting_is_closed(void **state)
{
    fixture *f = *state;
    play(f, "send '+OK hal'; close", NULL);
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_CLOSED, pop3_client_connect(c));
    assert_error(c, POP3_ERR_CLOSED, "waiting for the greeting");
    assert_str(pop3_client_greeting(c), "");
}

static void a_connection_that_is_reset_is_closed(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'NOOP'; reset", NULL);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_CLOSED, pop3_client_noop(c));
}

static void the_default_port_is_that_of_the_security(void **state)
{
    needs_tls();
    fixture *f = *state;
    f->options.host = "127.86.95.110"; /* nobody is there */
    assert_status(POP3_ERR_CONNECT, pop3_client_connect(client_new(f)));
    assert_error(f->client, POP3_ERR_CONNECT, "127.86.95.110:995: ");
    f->options.security = POP3_SECURITY_STLS;
    assert_status(POP3_ERR_CONNECT, pop3_client_connect(client_new(f)));
    assert_error(f->client, POP3_ERR_CONNECT, "127.86.95.110:110: ");
    f->options.security = POP3_SECURITY_PLAIN;
    assert_status(POP3_ERR_CONNECT, pop3_client_connect(client_new(f)));
    assert_error(f->client, POP3_ERR_CONNECT, "127.86.95.110:110: ");
}

static void refuse_options(const pop3_client_options *o)
{
    pop3_client *c = (pop3_client *)(uintptr_t)1;
    assert_status(POP3_ERR_ARGUMENT, pop3_client_new(&c, o));
    assert_null(c);
}

static void options_that_cannot_be_used_are_refused(void **state)
{
    (void)state;
    pop3_client_options good = POP3_CLIENT_OPTIONS_INIT;
    good.host = "localhost";
    good.security = POP3_SECURITY_PLAIN;
    char long_path[300];
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';

    assert_status(POP3_ERR_ARGUMENT, pop3_client_new(NULL, &good));
    refuse_options(NULL);
    pop3_client_options o = good;
    o.size--;
    refuse_options(&o);
    const char *hosts[] = {NULL, "", "two words", "line\r\nend", "del\x7F", long_path};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        o = good;
        o.host = hosts[i];
        refuse_options(&o);
    }
    o = good;
    o.unix_socket = "";
    refuse_options(&o);
    o.unix_socket = long_path;
    refuse_options(&o);
    o = good;
    o.local_address = "localhost";
    refuse_options(&o);
    o = good;
    o.security = (pop3_security)7;
    refuse_options(&o);
    o = good;
    o.engine.pipelining = (pop3_pipelining)7;
    refuse_options(&o);
    o = good;
    o.engine.limits.reply_line = 511;
    refuse_options(&o);
    o = good;
    o.engine.size--;
    refuse_options(&o);
}

static void a_host_name_is_converted_as_resolvers_take_it(void **state)
{
    (void)state;
    char out[POP3_HOST_NAME_SIZE];
    char longest[POP3_HOST_NAME_SIZE];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    const char *const names[][2] = {
#ifdef P3_HAVE_IDN
        {"bücher.example", "xn--bcher-kva.example"},
#endif
        {"post.example.org", "post.example.org"},
        {"127.0.0.1", "127.0.0.1"},
        {longest, longest}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_status(POP3_OK, pop3_host_to_ascii(names[i][0], out));
        assert_string_equal(names[i][1], out);
    }
    const char *const bad[] = {NULL, "", "two words", "line\nend", "a\xFF"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_status(POP3_ERR_ARGUMENT, pop3_host_to_ascii(bad[i], out));
    assert_status(POP3_ERR_ARGUMENT, pop3_host_to_ascii("a", NULL));
}

static void strings_of_the_options_are_copied(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect-eof", NULL);
    char host[] = "127.0.0.1";
    f->options.host = host;
    pop3_client *c = client_new(f);
    memset(host, '?', sizeof host);
    f->options.host = NULL;
    assert_ok(c, pop3_client_connect(c));
}

static void a_client_that_is_connected_does_not_connect_again(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'NOOP'; line '+OK'; expect-eof", NULL);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_STATE, pop3_client_connect(c));
    assert_error(c, POP3_ERR_STATE, "connecting: there is a connection already");
    assert_status(POP3_ERR_STATE, pop3_client_start(c));
    assert_ok(c, pop3_client_noop(c));
}

static void after_close_the_client_connects_again(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK first'; expect-eof", "--max-sessions", "2", NULL);
    pop3_client *c = client_connected(f);
    assert_str(pop3_client_greeting(c), "+OK first");
    pop3_client_close(c);
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
    assert_status(POP3_ERR_STATE, pop3_client_noop(c));
    pop3_client_close(c); /* once more does nothing */
    assert_ok(c, pop3_client_connect(c));
    assert_int_equal(pop3_client_error(c)->status, POP3_OK);
    assert_string_equal(pop3_client_error(c)->message, "");
    assert_int_equal(pop3_client_state(c), POP3_STATE_AUTHORIZATION);
}

static void after_quit_the_client_connects_again(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'QUIT'; line '+OK'; expect-eof", "--max-sessions", "3", NULL);
    pop3_client *c = client_new(f);
    for (int i = 0; i < 3; i++) {
        assert_ok(c, pop3_client_connect(c));
        assert_ok(c, pop3_client_quit(c));
    }
}

static void after_a_failure_the_client_connects_again(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'STAT'; line 'what?'; expect-eof", "--max-sessions", "2", NULL);
    pop3_client *c = client_new(f);
    for (int i = 0; i < 2; i++) {
        assert_ok(c, pop3_client_connect(c));
        assert_status(POP3_ERR_PROTOCOL, pop3_client_stat(c, NULL));
        assert_status(POP3_ERR_STATE, pop3_client_stat(c, NULL));
    }
}

static void a_client_that_never_connected_refuses_commands(void **state)
{
    fixture *f = *state;
    f->options.host = "localhost";
    f->options.security = POP3_SECURITY_PLAIN;
    pop3_client *c = client_new(f);
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
    assert_false(pop3_client_is_encrypted(c));
    assert_null(pop3_client_capabilities(c));
    assert_str(pop3_client_greeting(c), "");
    assert_int_equal(pop3_client_deletions(c), 0);
    assert_int_equal(pop3_client_waitables(c, NULL, 0), 0);
    assert_status(POP3_OK, pop3_client_step(c));
    assert_status(POP3_ERR_STATE, pop3_client_noop(c));
    assert_error(c, POP3_ERR_STATE, "localhost:110: NOOP: there is no connection");
    pop3_client_close(c);
    pop3_client_free(NULL);
}

static void a_client_under_way_is_freed_with_all_it_holds(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'NOOP'; expect-eof", NULL);
    pop3_client *c = client_connected(f);
    pop3_command noop = POP3_COMMAND_INIT;
    noop.kind = POP3_CMD_NOOP;
    assert_status(POP3_OK, pop3_client_submit(c, &noop, NULL));
    assert_status(POP3_PENDING, pop3_client_step(c));
}

static void a_server_that_says_farewell_while_idle_ends_the_connection(void **state)
{
    fixture *f = *state;
    play(f,
         "line '+OK'; expect 'NOOP'; send '+OK\\r\\n' '-ERR idle for too long\\r\\n'; expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    pop3_status status = pop3_client_noop(c);
    if (status == POP3_OK) /* the farewell came in a piece of its own */
        status = pop3_client_noop(c);
    assert_status(POP3_ERR_CLOSED, status);
    assert_error(c, POP3_ERR_CLOSED, "idle for too long");
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
    assert_status(POP3_ERR_CLOSED, pop3_client_step(c));
}

int main(void)
{
    const struct CMUnitTest once[] = {
        cmocka_unit_test(an_ipv6_address_is_connected_to),
        cmocka_unit_test(a_host_name_is_converted_as_resolvers_take_it),
        cmocka_unit_test(a_name_without_an_address_is_a_resolve_error),
        cmocka_unit_test(a_name_is_looked_up_by_the_callers_resolver),
        cmocka_unit_test(options_that_cannot_be_used_are_told_in_words),
        cmocka_unit_test(options_of_another_version_are_understood),
        cmocka_unit_test(a_child_that_was_forked_meanwhile_does_not_delay_an_answer),
        cmocka_unit_test(what_the_callers_resolver_cannot_say_is_a_resolve_error),
        cmocka_unit_test(a_name_server_that_does_not_answer_is_a_temporary_resolve_error),
        cmocka_unit_test(a_resolution_that_is_given_up_leaves_nothing_behind),
        cmocka_unit_test(a_refused_port_is_a_connect_error_with_errno),
        cmocka_unit_test(the_callers_function_connects_instead),
        cmocka_unit_test(what_the_callers_function_fails_with_is_the_error),
        cmocka_unit_test(a_unix_domain_socket_takes_the_place_of_host_and_port),
        cmocka_unit_test(a_unix_domain_socket_that_is_not_there_is_a_connect_error),
        cmocka_unit_test(the_local_address_is_the_one_connected_from),
        cmocka_unit_test(a_local_address_of_the_other_family_is_a_connect_error),
        cmocka_unit_test(a_handshake_without_an_answer_times_out),
        cmocka_unit_test(without_a_limit_there_is_no_deadline),
        cmocka_unit_test(the_default_port_is_that_of_the_security),
        cmocka_unit_test(options_that_cannot_be_used_are_refused),
        cmocka_unit_test(a_client_that_never_connected_refuses_commands),
    };
    const struct CMUnitTest both[] = {
        cmocka_unit_test(an_ipv4_address_is_connected_to),
        cmocka_unit_test(a_name_is_resolved_and_each_of_its_addresses_tried),
        cmocka_unit_test(a_server_that_never_greets_times_out),
        cmocka_unit_test(a_refusing_greeting_is_refused_with_its_text),
        cmocka_unit_test(a_greeting_of_another_protocol_is_a_protocol_error),
        cmocka_unit_test(a_greeting_without_an_end_meets_the_limit),
        cmocka_unit_test(a_greeting_in_single_octets_is_whole),
        cmocka_unit_test(a_server_that_closes_before_its_greeting_is_closed),
        cmocka_unit_test(a_connection_that_is_reset_is_closed),
        cmocka_unit_test(strings_of_the_options_are_copied),
        cmocka_unit_test(a_client_that_is_connected_does_not_connect_again),
        cmocka_unit_test(after_close_the_client_connects_again),
        cmocka_unit_test(after_quit_the_client_connects_again),
        cmocka_unit_test(after_a_failure_the_client_connects_again),
        cmocka_unit_test(a_client_under_way_is_freed_with_all_it_holds),
        cmocka_unit_test(a_server_that_says_farewell_while_idle_ends_the_connection),
    };
    return run_suite("connect", once, sizeof once / sizeof *once, both, sizeof both / sizeof *both);
}
