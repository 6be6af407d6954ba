/* Event loops: a thousand TLS connections by host name each, in a loop on epoll(7) that asks what
 * to wait on and keeps books, in one that is told, and in libuv and libevent. The resolver is slow,
 * fails, and gives six addresses of which the last is the server's. */
#define _GNU_SOURCE
#include "support/suite.h"

#ifdef HAVE_LIBUV
#include <pop3/adapters/libuv.h>
#endif
#ifdef HAVE_LIBEVENT
#include <pop3/adapters/libevent.h>
#endif

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONNECTIONS 1000
#define AT_ONCE     40

/* How a visit's host name is resolved. */
typedef enum resolver { PROMPT, SLOW, FAILING, SIX_ADDRESSES, RESOLVERS } resolver;

/* A connection of the thousand. */
typedef struct visit {
    pop3_client *client;
    resolver resolver;
    int epoll;
    pop3_waitable known[POP3_MAX_WAITABLES]; /* what epoll has been told */
    size_t known_count;
#ifdef HAVE_LIBUV
    pop3_libuv uv;
#endif
#ifdef HAVE_LIBEVENT
    pop3_libevent event;
#endif
    struct thousand *of;
} visit;

/* All of them. */
typedef struct thousand {
    const pop3_client_options *options;
    void (*begin)(struct thousand *t, visit *v, pop3_client_options *o);
    size_t begun, over, failed;
    visit at_once[AT_ONCE];
    void *loop;
} thousand;

static size_t resolve(void *ctx, const char *host, struct sockaddr_storage *addresses,
                      const char **why)
{
    const resolver *how = ctx;
    size_t count = *how == SIX_ADDRESSES ? 6 : 1;
    *why = "the test's resolver fails";
    if (*how == SLOW)
        poll(NULL, 0, 3);
    if (*how == FAILING || strcmp(host, "localhost") != 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        struct sockaddr_in *in = (struct sockaddr_in *)&addresses[i];
        *in = (struct sockaddr_in){.sin_family = AF_INET};
        in->sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(count - 1 - i));
    }
    return count;
}

/* Makes the next client in a visit's place, and begins. */
static void begin_next(thousand *t, visit *v)
{
    static const resolver kinds[] = {PROMPT, SLOW, FAILING, SIX_ADDRESSES};
    pop3_client_options o = *t->options;
    pop3_command quit = POP3_COMMAND_INIT;
    *v = (visit){.of = t, .resolver = kinds[t->begun++ % RESOLVERS], .epoll = v->epoll};
    o.resolve = resolve;
    o.resolve_ctx = &v->resolver;
    quit.kind = POP3_CMD_QUIT;
    t->begin(t, v, &o);
    assert_status(POP3_OK, pop3_client_submit(v->client, &quit, NULL));
}

/* A step has been taken. Returns whether the visit is over; the client is then gone. */
static bool is_over(visit *v, pop3_status status)
{
    if (status == POP3_PENDING)
        return false;
    assert_status(v->resolver == FAILING ? POP3_ERR_RESOLVE : POP3_OK, status);
    v->of->failed += status != POP3_OK;
    v->of->over++;
    return true;
}

static void assert_all_went(const thousand *t)
{
    assert_int_equal(t->over, CONNECTIONS);
    assert_int_equal(t->failed, CONNECTIONS / RESOLVERS);
}

static void serve_tls(fixture *f)
{
    mkdir(scratch_file("mail"), 0700);
    serve(f, NULL, "--mail", scratch_file("mail"), "--tls", "--cert", certificate("good.pem"),
          "--key", certificate("good.key"), NULL);
    f->options.port = f->server.tls_port;
    f->options.security = POP3_SECURITY_TLS;
    f->options.host = "localhost";
    f->options.tls = trusting(f);
}

/* ---- epoll ---- */

static uint32_t events_of(bool read, bool write)
{
    return (read ? EPOLLIN : 0u) | (write ? EPOLLOUT : 0u);
}

static int control(visit *v, int what, int fd, bool read, bool write)
{
    struct epoll_event e = {.events = events_of(read, write), .data.ptr = v};
    return epoll_ctl(v->epoll, what, fd, &e);
}

static pop3_waitable *find(pop3_waitable *in, size_t count, int fd)
{
    for (size_t i = 0; i < count; i++) {
        if (in[i].fd == fd)
            return &in[i];
    }
    return NULL;
}

/* The usual bookkeeping: adds what is new, modifies what has changed, deletes what is gone. */
static void keep_books(visit *v)
{
    pop3_waitable now[POP3_MAX_WAITABLES];
    size_t count = pop3_client_waitables(v->client, now, POP3_MAX_WAITABLES);
    for (size_t i = 0; i < count; i++) {
        const pop3_waitable *before = find(v->known, v->known_count, now[i].fd);
        if (before == NULL)
            assert_int_equal(control(v, EPOLL_CTL_ADD, now[i].fd, now[i].read, now[i].write), 0);
        else if (before->read != now[i].read || before->write != now[i].write)
            assert_int_equal(control(v, EPOLL_CTL_MOD, now[i].fd, now[i].read, now[i].write), 0);
    }
    for (size_t i = 0; i < v->known_count; i++) {
        if (find(now, count, v->known[i].fd) == NULL)
            (void)control(v, EPOLL_CTL_DEL, v->known[i].fd, false, false); /* it is closed */
    }
    memcpy(v->known, now, sizeof now);
    v->known_count = count;
}

static void be_told(void *ctx, pop3_client *c, int fd, bool read, bool write)
{
    visit *v = ctx;
    bool known = find(v->known, v->known_count, fd) != NULL;
    (void)c;
    if (!read && !write) {
        assert_true(known);
        assert_int_equal(control(v, EPOLL_CTL_DEL, fd, false, false), 0); /* it is still open */
        *find(v->known, v->known_count, fd) = v->known[v->known_count - 1];
        v->known_count--;
        return;
    }
    assert_int_equal(control(v, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, read, write), 0);
    if (!known)
        v->known[v->known_count++] = (pop3_waitable){.fd = fd};
}

static void begin_asking(thousand *t, visit *v, pop3_client_options *o)
{
    (void)t;
    assert_status(POP3_OK, pop3_client_new(&v->client, o));
    assert_status(POP3_OK, pop3_client_start(v->client));
    keep_books(v);
}

static void begin_told(thousand *t, visit *v, pop3_client_options *o)
{
    (void)t;
    o->socket = be_told;
    o->socket_ctx = v;
    assert_status(POP3_OK, pop3_client_new(&v->client, o));
    assert_status(POP3_OK, pop3_client_start(v->client));
}

/* Steps one, and begins another in its place when it is over. */
static void step_in_epoll(visit *v)
{
    thousand *t = v->of;
    if (v->client == NULL)
        return;
    pop3_status status = pop3_client_step(v->client);
    if (t->begin == begin_asking)
        keep_books(v);
    if (!is_over(v, status))
        return;
    assert_int_equal(v->known_count, 0); /* all that was announced has been withdrawn */
    pop3_client_free(v->client);
    v->client = NULL;
    if (t->begun < CONNECTIONS)
        begin_next(t, v);
}

static void run_in_epoll(fixture *f, void (*begin)(thousand *, visit *, pop3_client_options *))
{
    serve_tls(f);
    thousand t = {.options = &f->options, .begin = begin};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < AT_ONCE; i++) {
        t.at_once[i].epoll = epoll;
        begin_next(&t, &t.at_once[i]);
    }
    while (t.over < CONNECTIONS) {
        struct epoll_event ready[64];
        int timeout = -1;
        for (size_t i = 0; i < AT_ONCE; i++) {
            visit *v = &t.at_once[i];
            int deadline = v->client == NULL ? -1 : pop3_client_deadline(v->client);
            if (deadline >= 0 && (timeout < 0 || deadline < timeout))
                timeout = deadline;
        }
        int count = epoll_wait(epoll, ready, 64, timeout);
        for (int i = 0; i < count; i++)
            step_in_epoll(ready[i].data.ptr);
        for (size_t i = 0; i < AT_ONCE; i++) {
            visit *v = &t.at_once[i];
            if (v->client != NULL && pop3_client_deadline(v->client) == 0)
                step_in_epoll(v);
        }
    }
    close(epoll);
    assert_all_went(&t);
}

static void a_loop_that_asks_and_keeps_books_serves_a_thousand(void **state)
{
    run_in_epoll(*state, begin_asking);
}

static void a_loop_that_is_told_serves_a_thousand(void **state)
{
    run_in_epoll(*state, begin_told);
}

/* ---- libuv ---- */

#ifdef HAVE_LIBUV
static void stepped_in_libuv(void *ctx, pop3_client *c, pop3_status status)
{
    visit *v = ctx;
    if (!is_over(v, status))
        return;
    pop3_libuv_stop(&v->uv);
    pop3_client_free(c);
    if (v->of->begun < CONNECTIONS)
        begin_next(v->of, v);
}

static void begin_in_libuv(thousand *t, visit *v, pop3_client_options *o)
{
    pop3_libuv_init(&v->uv, t->loop, o);
    assert_status(POP3_OK, pop3_client_new(&v->client, o));
    assert_status(POP3_OK, pop3_libuv_start(&v->uv, v->client, stepped_in_libuv, v));
}

static void libuv_serves_a_thousand(void **state)
{
    fixture *f = *state;
    uv_loop_t loop;
    serve_tls(f);
    thousand t = {.options = &f->options, .begin = begin_in_libuv, .loop = &loop};
    assert_int_equal(uv_loop_init(&loop), 0);
    for (size_t i = 0; i < AT_ONCE; i++)
        begin_next(&t, &t.at_once[i]);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&loop), 0); /* nothing is left in it */
    assert_all_went(&t);
}
#endif

/* ---- libevent ---- */

#ifdef HAVE_LIBEVENT
static void stepped_in_libevent(void *ctx, pop3_client *c, pop3_status status)
{
    visit *v = ctx;
    if (!is_over(v, status))
        return;
    pop3_libevent_stop(&v->event);
    pop3_client_free(c);
    if (v->of->begun < CONNECTIONS)
        begin_next(v->of, v);
}

static void begin_in_libevent(thousand *t, visit *v, pop3_client_options *o)
{
    pop3_libevent_init(&v->event, t->loop, o);
    assert_status(POP3_OK, pop3_client_new(&v->client, o));
    assert_status(POP3_OK, pop3_libevent_start(&v->event, v->client, stepped_in_libevent, v));
}

static void libevent_serves_a_thousand(void **state)
{
    fixture *f = *state;
    serve_tls(f);
    thousand t = {.options = &f->options, .begin = begin_in_libevent, .loop = event_base_new()};
    assert_non_null(t.loop);
    for (size_t i = 0; i < AT_ONCE; i++)
        begin_next(&t, &t.at_once[i]);
    assert_int_not_equal(event_base_dispatch(t.loop), -1);
    event_base_free(t.loop);
    assert_all_went(&t);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_that_asks_and_keeps_books_serves_a_thousand),
        cmocka_unit_test(a_loop_that_is_told_serves_a_thousand),
#ifdef HAVE_LIBUV
        cmocka_unit_test(libuv_serves_a_thousand),
#endif
#ifdef HAVE_LIBEVENT
        cmocka_unit_test(libevent_serves_a_thousand),
#endif
    };
    int fd = open("/dev/null", O_RDWR); /* libuv bears none of its own that is 0, 1 or 2 */
    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = dup(fd);
    if (fd < 0 || close(fd) != 0)
        return EXIT_FAILURE;
#ifdef HAVE_LIBUV
    uv_loop_t first; /* libuv keeps descriptors of its own from the first loop on */
    if (uv_loop_init(&first) != 0 || uv_loop_close(&first) != 0)
        return EXIT_FAILURE;
#endif
    return run_suite("loops", tests, sizeof tests / sizeof tests[0], NULL, 0);
}
