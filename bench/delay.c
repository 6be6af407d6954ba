/* A TCP proxy on 127.0.0.1 that makes a line long: every octet arrives half a round trip after it
 * was sent, in either direction, and nothing else is limited.
 *
 *     bench-delay [--port P] --to PORT --round-trip MILLISECONDS
 *
 * Setting a connection up costs what it does over a real line: the proxy accepts at once (it cannot
 * do otherwise), but reaches the server one and a half round trips later, when the client's part of
 * TCP's handshake would have arrived there. Prints "ready PORT".
 */
#define _GNU_SOURCE
#include "common.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Octets on their way in one direction; a line's bandwidth is not limited, our memory is. */
#define MOST_UNDER_WAY ((size_t)64 << 20)
#define MOST_AT_ONCE   ((size_t)256 << 10)

/* Octets that were read together and arrive together; none: the end of the stream. */
typedef struct packet {
    struct packet *next;
    double due;
    size_t len, sent;
    char data[];
} packet;

/* One direction of a connection. */
typedef struct lane {
    packet *first;
    packet **last;
    size_t under_way;
    bool ended;   /* the sender's end has been read */
    bool blocked; /* the receiver's socket is full */
    bool over;    /* the end has been passed on */
} lane;

typedef struct pair {
    struct pair *next;
    int fd[2];         /* the client's, the server's (-1 until it is reached) */
    lane from[2];      /* from the client, from the server */
    double reach_time; /* when to connect to the server */
} pair;

typedef struct proxy {
    int poll, listener;
    uint16_t to;
    double half; /* seconds that an octet takes */
    pair *pairs;
    char *buffer;
} proxy;

static void watch(const proxy *x, int fd, pair *p)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                            .data = {.ptr = p}};
    if (epoll_ctl(x->poll, EPOLL_CTL_ADD, fd, &e) != 0)
        die("epoll_ctl");
}

static void accept_all(proxy *x, double now)
{
    int fd;
    while ((fd = accept4(x->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        pair *p = calloc(1, sizeof *p);
        if (p == NULL)
            die("a connection");
        make_quick(fd);
        p->fd[0] = fd;
        p->fd[1] = -1;
        p->from[0].last = &p->from[0].first;
        p->from[1].last = &p->from[1].first;
        p->reach_time = now + 3 * x->half;
        p->next = x->pairs;
        x->pairs = p;
        watch(x, fd, p);
    }
}

/* Reads what one side has sent. */
static void take(const proxy *x, pair *p, int side, double now)
{
    lane *l = &p->from[side];
    while (p->fd[side] >= 0 && !l->ended && l->under_way < MOST_UNDER_WAY) {
        ssize_t n = read(p->fd[side], x->buffer, MOST_AT_ONCE);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        size_t len = n > 0 ? (size_t)n : 0;
        packet *k = malloc(sizeof *k + len);
        if (k == NULL)
            die("a packet");
        *k = (packet){.due = now + x->half, .len = len};
        if (len > 0)
            memcpy(k->data, x->buffer, len);
        l->ended = len == 0;
        l->under_way += len;
        *l->last = k;
        l->last = &k->next;
    }
}

static void drop_first(lane *l)
{
    packet *k = l->first;
    l->first = k->next;
    if (l->first == NULL)
        l->last = &l->first;
    l->under_way -= k->len;
    free(k);
}

/* Passes on what has arrived. Returns when there is more to do. */
static double deliver(pair *p, int side, double now)
{
    lane *l = &p->from[side];
    int fd = p->fd[!side];
    l->blocked = false;
    while (fd >= 0 && l->first != NULL) {
        packet *k = l->first;
        if (k->due > now)
            return k->due;
        if (k->len == 0) {
            shutdown(fd, SHUT_WR);
            l->over = true;
        }
        while (k->sent < k->len) {
            ssize_t n = send(fd, k->data + k->sent, k->len - k->sent, MSG_NOSIGNAL);
            if (n < 0 && errno == EAGAIN) {
                l->blocked = true; /* the socket will say when it is writable */
                return INFINITY;
            }
            if (n < 0) { /* the receiver is gone: so is what it was to get */
                l->over = true;
                break;
            }
            k->sent += (size_t)n;
        }
        drop_first(l);
    }
    return INFINITY;
}

static void close_pair(pair *p)
{
    for (int side = 0; side < 2; side++) {
        if (p->fd[side] >= 0)
            close(p->fd[side]);
        while (p->from[side].first != NULL)
            drop_first(&p->from[side]);
    }
    free(p);
}

/* Goes on with a connection. Returns when there is more to do, or a negative time when it is over.
 */
static double go_on(const proxy *x, pair *p, double now)
{
    if (p->fd[1] < 0) {
        if (p->reach_time > now) {
            take(x, p, 0, now);
            return p->reach_time;
        }
        p->fd[1] = connect_to(x->to, 0);
        make_quick(p->fd[1]);
        watch(x, p->fd[1], p);
    }
    double next = INFINITY;
    for (int side = 0; side < 2; side++) {
        take(x, p, side, now);
        next = fmin(next, deliver(p, side, now));
        take(x, p, side, now); /* there may be room again */
    }
    bool over = p->from[0].over && p->from[1].over;
    return over ? -1 : next;
}

_Noreturn static void run(proxy *x)
{
    struct epoll_event ready[256];
    double next = INFINITY;
    for (;;) {
        double wait = fmin(fmax(next - now_seconds(), 0), 3600);
        struct timespec t = {.tv_sec = (time_t)wait, .tv_nsec = (long)((wait - floor(wait)) * 1e9)};
        int n = epoll_pwait2(x->poll, ready, 256, &t, NULL);
        if (n < 0 && errno != EINTR)
            die("epoll_pwait2");
        double now = now_seconds();
        for (int i = 0; i < n; i++) {
            if (ready[i].data.ptr == NULL)
                accept_all(x, now);
        }
        next = INFINITY;
        for (pair **at = &x->pairs; *at != NULL;) {
            pair *p = *at;
            double when = go_on(x, p, now);
            if (when < 0) {
                *at = p->next;
                close_pair(p);
                continue;
            }
            next = fmin(next, when);
            at = &p->next;
        }
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},
        {"to", required_argument, NULL, 't'},
        {"round-trip", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    static proxy x;
    uint16_t port = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'p':
            port = (uint16_t)number_or_die(optarg, UINT16_MAX);
            break;
        case 't':
            x.to = (uint16_t)number_or_die(optarg, UINT16_MAX);
            break;
        case 'r':
            x.half = (double)number_or_die(optarg, 60000) / 2000;
            break;
        default:
            return 2;
        }
    }
    if (x.to == 0)
        die_plain("--to is missing");
    allow_many_descriptors();
    x.buffer = malloc(MOST_AT_ONCE);
    x.poll = epoll_create1(EPOLL_CLOEXEC);
    if (x.buffer == NULL || x.poll < 0)
        die("setting up");
    x.listener = listen_on(&port);
    struct epoll_event e = {.events = EPOLLIN, .data = {.ptr = NULL}};
    if (epoll_ctl(x.poll, EPOLL_CTL_ADD, x.listener, &e) != 0)
        die("epoll_ctl");
    printf("ready %u\n", (unsigned)port);
    fflush(stdout);
    run(&x);
}
