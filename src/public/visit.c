/* A visit to one account: a run of the rooms below, with one account. */
#include <pop3/collect.h>

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "collect/sync.h"
#include "public/error.h"
#include "public/visit_account.h"
#include "support/printable.h"

struct pop3_open_visit {
    p3_visit_account account;
    const p3_account *accounts[1]; /* that one */
    p3_loop *loop;
    bool goes_on;
    pop3_visit_report report; /* what has come of it so far */
    p3_problem over;          /* how it ended */
    /* What the caller's loop has been told to wait on. */
    pop3_waitable told[POP3_VISIT_WAITABLES];
    size_t told_count;
};

static void count(pop3_visit_report *r, const p3_tally *t)
{
    r->listed = t->listed;
    r->wanted = t->wanted;
    r->retrieved = t->retrieved;
    r->octets = t->octets;
    r->delivered = t->delivered;
    r->settled = t->settled;
    r->deleted = t->deleted;
    r->skipped = t->skipped;
    r->passed_over = t->passed_over;
    r->failed = t->failed;
    r->unseen = t->unseen;
}

/* Returns false for what is not told so. */
static bool event_of(p3_notice_kind kind, pop3_visit_event *out)
{
    static const struct {
        p3_notice_kind kind;
        pop3_visit_event event;
    } events[] = {
        {P3_NOTICE_BEGUN, POP3_VISIT_CONNECTING},  {P3_NOTICE_LISTED, POP3_VISIT_LISTED},
        {P3_NOTICE_MESSAGE, POP3_VISIT_RETRIEVED}, {P3_NOTICE_DELIVERED, POP3_VISIT_DELIVERED},
        {P3_NOTICE_SKIPPED, POP3_VISIT_SKIPPED},   {P3_NOTICE_FAILED, POP3_VISIT_FAILED},
        {P3_NOTICE_WARNING, POP3_VISIT_WARNING},   {P3_NOTICE_WAITING, POP3_VISIT_WAITING},
    };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if (events[i].kind == kind) {
            *out = events[i].event;
            return true;
        }
    }
    return false;
}

static void tell_caller(const pop3_open_visit *p, const p3_notice *n, pop3_visit_event event)
{
    const pop3_visit_options *o = &p->account.options;
    const char *text = n->problem != NULL ? n->problem->text : n->text;
    char *clean = p3_line_clean(text, strlen(text));
    pop3_visit_notice notice = {.event = event,
                                .report = &p->report,
                                .number = n->number,
                                .uid = n->uid,
                                .octets = n->octets,
                                .text = clean != NULL ? clean : "",
                                .seconds = n->seconds};
    o->notice(o->notice_ctx, &notice);
    free(clean);
}

/* A p3_notice_fn. */
static void note_notice(void *ctx, const p3_notice *n)
{
    pop3_open_visit *p = ctx;
    pop3_visit_event event;
    count(&p->report, n->tally);
    if (n->kind == P3_NOTICE_OVER && n->problem != NULL)
        p->over = *n->problem;
    if (p->account.options.notice != NULL && event_of(n->kind, &event))
        tell_caller(p, n, event);
}

/* Hands the report over, as much of it as the caller knows. */
static void hand_over(pop3_visit_report *to, const pop3_visit_report *from)
{
    if (to == NULL || to->size <= sizeof to->size)
        return;
    size_t known = to->size < sizeof *to ? to->size : sizeof *to;
    memcpy((char *)to + sizeof to->size, (const char *)from + sizeof from->size,
           known - sizeof to->size);
}

/* ---- what a loop waits on ---- */

/* Tells the caller's loop, if it is to be told, that a descriptor is waited on so. */
static void announce(const pop3_open_visit *v, int fd, bool read, bool write)
{
    const pop3_client_options *o = v->account.options.connection;
    if (o->socket != NULL)
        o->socket(o->socket_ctx, NULL, fd, read, write);
}

/* The place of a descriptor among some, or `count`. */
static size_t find_waitable(const pop3_waitable *waits, size_t count, int fd)
{
    size_t i = 0;
    while (i < count && waits[i].fd != fd)
        i++;
    return i;
}

static void withdraw(pop3_open_visit *v, size_t i)
{
    int fd = v->told[i].fd;
    v->told[i] = v->told[--v->told_count];
    announce(v, fd, false, false);
}

/* A pop3_socket_fn. What a client begins to wait on is told when the step is over: a visit that
 * waits for the disk does not wait on its connection. But what is closed is withdrawn at once. */
static void withdraw_closed(void *ctx, pop3_client *client, int fd, bool read, bool write)
{
    pop3_open_visit *v = ctx;
    size_t i = find_waitable(v->told, v->told_count, fd);
    (void)client;
    if (i < v->told_count && !read && !write)
        withdraw(v, i);
}

/* Tells the caller's loop what has changed. */
static void tell_loop(pop3_open_visit *v, const pop3_waitable *now, size_t count)
{
    for (size_t i = v->told_count; i > 0; i--) {
        if (find_waitable(now, count, v->told[i - 1].fd) == count)
            withdraw(v, i - 1);
    }
    for (size_t i = 0; i < count; i++) {
        size_t at = find_waitable(v->told, v->told_count, now[i].fd);
        pop3_waitable *told = &v->told[at];
        bool changed =
            at == v->told_count || told->read != now[i].read || told->write != now[i].write;
        v->told_count += at == v->told_count;
        *told = now[i];
        if (changed)
            announce(v, now[i].fd, now[i].read, now[i].write);
    }
}

/* What to wait on now. */
static size_t gather_waitables(const pop3_open_visit *v, pop3_waitable *out, int *timeout)
{
    const struct pollfd *fds;
    size_t n = 0;
    size_t found = p3_sync_waits(v->loop, &fds, timeout);
    for (size_t i = 0; i < found; i++) {
        if (n < POP3_VISIT_WAITABLES)
            out[n++] = (pop3_waitable){.fd = fds[i].fd,
                                       .read = (fds[i].events & POLLIN) != 0,
                                       .write = (fds[i].events & POLLOUT) != 0};
    }
    return n;
}

/* ---- a visit, step by step ---- */

/* Tells how it ended, and frees it. */
static pop3_collect_status conclude(pop3_open_visit *v, const p3_problem *why,
                                    pop3_visit_report *report)
{
    pop3_collect_status class =
        why->exit != 0 ? p3_collect_fail(&v->report.error, why) : POP3_COLLECT_OK;
    hand_over(report, &v->report);
    p3_visit_account_clear(&v->account);
    free(v);
    return class;
}

pop3_collect_status pop3_visit_begin(pop3_open_visit **out, const pop3_visit_options *options,
                                     pop3_visit_report *report)
{
    p3_problem why = {0};
    pop3_open_visit *v = calloc(1, sizeof *v);
    *out = NULL;
    if (v == NULL) {
        pop3_visit_report none = POP3_VISIT_REPORT_INIT;
        p3_problem_set(&why, EX_OSERR, "visiting an account: out of memory");
        pop3_collect_status class = p3_collect_fail(&none.error, &why);
        hand_over(report, &none);
        return class;
    }
    v->report = (pop3_visit_report)POP3_VISIT_REPORT_INIT;
    v->goes_on = true;
    if (p3_visit_account_read(&v->account, options, &why)) {
        v->account.run.notice = note_notice;
        v->account.run.notice_ctx = v;
        v->account.account.connection.socket = withdraw_closed;
        v->account.account.connection.socket_ctx = v;
        v->accounts[0] = &v->account.account;
        v->loop = p3_sync_begin(&v->account.run, v->accounts, 1, &why);
    }
    if (v->loop == NULL)
        return conclude(v, &why, report);
    *out = v;
    return POP3_COLLECT_OK;
}

bool pop3_visit_step(pop3_open_visit *visit)
{
    pop3_waitable now[POP3_VISIT_WAITABLES];
    int timeout;
    visit->goes_on = visit->goes_on && p3_sync_step(visit->loop);
    tell_loop(visit, now, visit->goes_on ? gather_waitables(visit, now, &timeout) : 0);
    return visit->goes_on;
}

size_t pop3_visit_waitables(const pop3_open_visit *visit, pop3_waitable *out, size_t cap)
{
    size_t count = visit->told_count < cap ? visit->told_count : cap;
    memcpy(out, visit->told, count * sizeof *out);
    return count;
}

int pop3_visit_deadline(const pop3_open_visit *visit)
{
    pop3_waitable unused[POP3_VISIT_WAITABLES];
    int timeout = 0;
    if (visit->told_count > 0) /* else it is to be stepped for the first time, or is over */
        (void)gather_waitables(visit, unused, &timeout);
    return timeout;
}

pop3_collect_status pop3_visit_end(pop3_open_visit *visit, pop3_visit_report *report)
{
    int unused;
    if (visit == NULL)
        return POP3_COLLECT_OK;
    tell_loop(visit, NULL, 0);
    p3_sync_end(visit->loop, &unused);
    p3_problem why = visit->over;
    return conclude(visit, &why, report);
}

pop3_collect_status pop3_visit(const pop3_visit_options *options, pop3_visit_report *report)
{
    pop3_open_visit *v;
    pop3_collect_status status = pop3_visit_begin(&v, options, report);
    if (v == NULL)
        return status;
    p3_sync_run(v->loop);
    return pop3_visit_end(v, report);
}
