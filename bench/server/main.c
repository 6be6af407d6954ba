/* A POP3 server for measuring clients: it renders its mailbox once and costs next to nothing
 * afterwards. One thread, epoll(7). Any user with any password gets the same messages under
 * unique-ids of their own; deletions are forgotten with the session, so that every round of a
 * measurement finds what the one before did.
 *
 *     bench-server [--port P] [--tls-port P] [--cert FILE --key FILE] [--messages N] [--size
 * OCTETS]
 *                  [--no-pipelining] [--by-pieces] [--awake] [--report]
 *
 * --by-pieces writes status line and body of a reply apart, with Nagle's algorithm on, as popa3d,
 * solid-pop3d and others do: the second waits until the first has been acknowledged. It announces
 * no pipelining, as those do not.
 *
 * --awake never sleeps: it looks for input all the time, as if it were a machine of its own. One
 * that sleeps takes longer to wake than to answer, which hides what a client costs that sends one
 * command at a time.
 *
 * Ports default to free ones. Prints "ready PORT TLS-PORT" (TLS-PORT 0 without a certificate), and
 * with --report a line for each session when it ends: how many commands, and how many
 * round trips, counted as the times the client spoke when all that it had asked was answered. (That
 * is exact for a client that waits, and at most too much for one that does not.)
 */
#define _GNU_SOURCE
#include "common.h"
#include "server/session.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the event loop waits on: NULL data is a listener's, told apart by the event. */
typedef struct server {
    service service;
    SSL_CTX *tls; /* NULL without a certificate */
    bool report;
    bool by_pieces;
    bool awake;
    int poll;
    int plain_listener, tls_listener; /* the latter -1 without TLS */
} server;

static void print_report(const connection *c)
{
    printf("session user=%s commands=%" PRIu64 " round-trips=%" PRIu64 " handshake-waits=%" PRIu64
           " octets-in=%" PRIu64 " octets-out=%" PRIu64 "\n",
           c->user[0] != '\0' ? c->user : "-", c->commands, c->round_trips, c->handshake_waits,
           c->octets_in, c->octets_out);
    fflush(stdout);
}

/* Answers every whole line that has come. */
static void take_lines(server *s, connection *c)
{
    char *at = c->in;
    char *end = c->in + c->in_len;
    char *lf;
    while (!c->closing && !c->wants_tls && (lf = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        *lf = '\0';
        if (lf > at && lf[-1] == '\r')
            lf[-1] = '\0';
        session_command(&s->service, c, at);
        at = lf + 1;
    }
    c->in_len = (size_t)(end - at);
    memmove(c->in, at, c->in_len);
}

/* Goes on with a connection as far as it can without waiting. False when it is over. */
static bool serve(server *s, connection *c)
{
    for (;;) {
        if (c->handshaking) {
            moved m = connection_handshake(c);
            if (m != MOVED_SOME) {
                c->handshake_waits += m == MOVED_NONE;
                return m == MOVED_NONE;
            }
        }
        moved m = connection_send(c);
        if (m == MOVED_END || (m == MOVED_SOME && c->closing))
            return false;
        bool drained = m == MOVED_SOME;
        if (drained && c->wants_tls) {
            connection_begin_tls(c, s->tls);
            continue;
        }
        if (c->closing || c->wants_tls)
            return true;
        m = connection_receive(c);
        if (m == MOVED_END)
            return false;
        if (m == MOVED_NONE)
            return true;
        uint64_t before = c->commands;
        take_lines(s, c);
        c->round_trips += drained && c->commands > before;
    }
}

static void watch(server *s, connection *c, int how, bool writable)
{
    struct epoll_event e = {.events = EPOLLIN | (writable ? EPOLLOUT : 0U), .data = {.ptr = c}};
    if (epoll_ctl(s->poll, how, c->fd, &e) != 0)
        die("epoll_ctl");
    c->writable_awaited = writable;
}

static void go_on(server *s, connection *c)
{
    if (!serve(s, c)) {
        if (s->report)
            print_report(c);
        connection_free(c); /* closing takes it out of the epoll set */
        return;
    }
    bool writable = connection_has_output(c) && !c->handshaking;
    if (writable != c->writable_awaited)
        watch(s, c, EPOLL_CTL_MOD, writable);
}

static void accept_all(server *s, int listener)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        connection *c = calloc(1, sizeof *c);
        if (c == NULL)
            die("a connection");
        make_nonblocking(fd);
        if (!s->by_pieces)
            make_quick(fd);
        c->fd = fd;
        c->by_pieces = s->by_pieces;
        if (listener == s->tls_listener)
            connection_begin_tls(c, s->tls);
        connection_say(c, "+OK benchmark ready\r\n");
        watch(s, c, EPOLL_CTL_ADD, false);
        go_on(s, c);
    }
    if (errno != EAGAIN && errno != ECONNABORTED)
        die("accept");
}

static void listen_for(server *s, int *listener)
{
    struct epoll_event e = {.events = EPOLLIN, .data = {.ptr = listener}};
    if (epoll_ctl(s->poll, EPOLL_CTL_ADD, *listener, &e) != 0)
        die("epoll_ctl");
}

static SSL_CTX *tls_context(const char *cert, const char *key)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (ctx == NULL || SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        die_plain("the certificate or its key cannot be used");
    return ctx;
}

_Noreturn static void run(server *s)
{
    struct epoll_event ready[256];
    for (;;) {
        int n = epoll_wait(s->poll, ready, 256, s->awake ? 0 : -1);
        if (n < 0 && errno != EINTR)
            die("epoll_wait");
        for (int i = 0; i < n; i++) {
            void *who = ready[i].data.ptr;
            if (who == &s->plain_listener || who == &s->tls_listener)
                accept_all(s, *(int *)who);
            else
                go_on(s, who);
        }
    }
}

/* What the command line says, beside what is the server's own. */
typedef struct arguments {
    uint16_t port;
    uint16_t tls_port;
    size_t messages;
    size_t size;
    const char *cert;
    const char *key;
} arguments;

static bool take_option(server *s, arguments *a, int option)
{
    switch (option) {
    case 'p':
        a->port = (uint16_t)number_or_die(optarg, UINT16_MAX);
        return true;
    case 't':
        a->tls_port = (uint16_t)number_or_die(optarg, UINT16_MAX);
        return true;
    case 'c':
        a->cert = optarg;
        return true;
    case 'k':
        a->key = optarg;
        return true;
    case 'm':
        a->messages = number_or_die(optarg, 10000000);
        return true;
    case 's':
        a->size = number_or_die(optarg, UINT32_MAX);
        return true;
    case 'n':
        s->service.pipelining = false;
        return true;
    case 'b':
        s->by_pieces = true;
        s->service.pipelining = false;
        return true;
    case 'r':
        s->report = true;
        return true;
    case 'a':
        s->awake = true;
        return true;
    default:
        return false;
    }
}

static void listen_on_both(server *s, arguments *a)
{
    s->plain_listener = listen_on(&a->port);
    listen_for(s, &s->plain_listener);
    if (a->cert == NULL || a->key == NULL)
        return;
    s->tls = tls_context(a->cert, a->key);
    s->service.stls = true;
    s->tls_listener = listen_on(&a->tls_port);
    listen_for(s, &s->tls_listener);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},
        {"tls-port", required_argument, NULL, 't'},
        {"cert", required_argument, NULL, 'c'},
        {"key", required_argument, NULL, 'k'},
        {"messages", required_argument, NULL, 'm'},
        {"size", required_argument, NULL, 's'},
        {"no-pipelining", no_argument, NULL, 'n'},
        {"by-pieces", no_argument, NULL, 'b'},
        {"report", no_argument, NULL, 'r'},
        {"awake", no_argument, NULL, 'a'},
        {NULL, 0, NULL, 0},
    };
    static server s = {.service = {.pipelining = true}, .tls_listener = -1};
    arguments a = {.messages = 1000, .size = 4096};
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (!take_option(&s, &a, option))
            return 2;
    }
    allow_many_descriptors();
    mailbox_render(&s.service.box, a.messages, a.size);
    s.poll = epoll_create1(EPOLL_CLOEXEC);
    if (s.poll < 0)
        die("epoll");
    listen_on_both(&s, &a);
    printf("ready %u %u\n", (unsigned)a.port, s.tls != NULL ? (unsigned)a.tls_port : 0);
    fflush(stdout);
    run(&s);
}
