/* Visits in an epoll(7) loop, in which every announcement must be right: a descriptor is added
 * once, changed while it is there, and removed before it is closed, or epoll_ctl(2) refuses. */
#include "collect/in_a_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

/* A pop3_socket_fn. */
static void wait_on(void *ctx, pop3_client *client, int fd, bool read, bool write)
{
    looped *l = ctx;
    struct epoll_event e = {.events = (read ? EPOLLIN : 0U) | (write ? EPOLLOUT : 0U),
                            .data.ptr = l};
    assert_null(client);
    if (!read && !write) {
        assert_int_equal(epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, NULL), 0);
        l->waits--;
    } else if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) == 0) {
        l->waits++;
    } else {
        assert_int_equal(errno, EEXIST);
        assert_int_equal(epoll_ctl(l->epoll, EPOLL_CTL_MOD, fd, &e), 0);
    }
}

void loop_begin(looped *l, const pop3_visit_options *options, int epoll)
{
    *l = (looped){.epoll = epoll, .ready = true};
    if (options != NULL) {
        l->options = *options;
        if (options->connection != NULL)
            l->connection = *options->connection;
        l->connection.socket = wait_on;
        l->connection.socket_ctx = l;
        if (options->connection != NULL)
            l->options.connection = &l->connection;
    }
    l->report = (pop3_visit_report)POP3_VISIT_REPORT_INIT;
    l->status = pop3_visit_begin(&l->visit, options != NULL ? &l->options : NULL, &l->report);
    assert_int_equal(l->visit == NULL, l->status != POP3_COLLECT_OK);
    assert_int_equal(l->waits, 0);
}

void loop_end(looped *l)
{
    l->status = pop3_visit_end(l->visit, &l->report);
    l->visit = NULL;
    assert_int_equal(l->waits, 0);
}

static void step(looped *l)
{
    pop3_waitable waits[POP3_VISIT_WAITABLES];
    l->ready = false;
    bool goes_on = pop3_visit_step(l->visit);
    assert_int_equal(pop3_visit_waitables(l->visit, waits, POP3_VISIT_WAITABLES), l->waits);
    assert_int_equal(goes_on, l->waits > 0); /* a thread of the visit may be over at any time */
    if (!goes_on)
        loop_end(l);
}

size_t loop_once(looped *visits, size_t count, int epoll)
{
    struct epoll_event ready[64];
    size_t left = 0;
    int timeout = -1;
    for (size_t i = 0; i < count; i++) {
        if (visits[i].visit == NULL)
            continue;
        int ms = visits[i].ready ? 0 : pop3_visit_deadline(visits[i].visit);
        if (ms >= 0 && (timeout < 0 || ms < timeout))
            timeout = ms;
    }
    int found = epoll_wait(epoll, ready, 64, timeout);
    for (int i = 0; i < found; i++)
        ((looped *)ready[i].data.ptr)->ready = true;
    for (size_t i = 0; i < count; i++) {
        looped *l = &visits[i];
        if (l->visit != NULL && (l->ready || pop3_visit_deadline(l->visit) == 0))
            step(l);
        left += l->visit != NULL;
    }
    return left;
}

pop3_collect_status visit_in_a_loop(const pop3_visit_options *options, pop3_visit_report *report)
{
    looped l;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    assert_true(epoll >= 0);
    loop_begin(&l, options, epoll);
    while (l.visit != NULL)
        loop_once(&l, 1, epoll);
    assert_int_equal(close(epoll), 0);
    if (report != NULL)
        *report = l.report;
    return l.status;
}
