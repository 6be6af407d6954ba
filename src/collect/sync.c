/* All accounts of a run in one loop over poll(2). */
#include "collect/sync.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "collect/schedule.h"
#include "collect/time_limit.h"
#include "collect/next_visit.h"
#include "support/clock.h"
#include "support/wording.h"

#define P3_NOT_OVER 255

/* Descriptors besides those of visits: for stopping, and for completed jobs. */
#define P3_NOT_OF_A_VISIT 2

/* An account that is active, or waits for another visit. */
typedef struct p3_work {
    size_t which;
    const p3_account *account;
    p3_next_visit turns;
    p3_visit *visit; /* NULL while it waits for another visit */
    size_t first;    /* index of its first polled descriptor, */
    size_t polled;   /* and their number */
    bool ready;      /* one of them is ready, or its time has come */
    uint64_t octets; /* while the run is ending: received octets at the last check, */
    int64_t silent;  /* and the time since which there were no more */
} p3_work;

struct p3_loop {
    p3_run run;
    const p3_account *const *accounts;
    size_t count;
    p3_schedule *schedule;
    p3_work **works;  /* for each account; NULL before its first visit and after its last */
    uint8_t *exits;   /* for each account: an EX_ value of sysexits.h, or P3_NOT_OVER */
    p3_work **active; /* the active ones: p3_schedule_active() of them */
    size_t done;
    struct pollfd *fds;
    bool stopped;
    int64_t farewell; /* while the run is ending: milliseconds until silent sessions are checked */
};

/* ---- beginning and ending sessions ---- */

static void tell_notice(p3_loop *l, size_t which, p3_notice_kind kind, const p3_problem *problem,
                        double seconds)
{
    static const p3_tally nothing;
    const p3_sync_options *o = l->run.options;
    p3_notice notice = {.kind = kind,
                        .account = l->accounts[which],
                        .tally = l->works[which] != NULL ? &l->works[which]->turns.history.tally
                                                         : &nothing,
                        .text = "",
                        .problem = problem->exit != 0 ? problem : NULL,
                        .seconds = seconds};
    if (o->notice != NULL)
        o->notice(o->notice_ctx, &notice);
}

/* The account is done in this run. */
static void finish_account(p3_loop *l, size_t which, const p3_problem *problem)
{
    l->exits[which] = (uint8_t)problem->exit;
    l->done++;
    tell_notice(l, which, P3_NOTICE_OVER, problem, 0);
    free(l->works[which]);
    l->works[which] = NULL;
}

/* What follows a visit: another one at once, another one later, or the end. */
static void after_visit(p3_loop *l, p3_work *w, const p3_visit *v)
{
    int64_t wait_ms = 0;
    p3_again again = p3_next_visit_decide(&w->turns, v, l->run.options, l->stopped, &wait_ms);
    int64_t when = again == P3_AGAIN_NOW ? 0 : p3_clock_ms() + wait_ms;
    p3_problem end = p3_next_visit_problem(&w->turns);
    if (again == P3_AGAIN_NO) {
        p3_schedule_finish(l->schedule, w->which);
        finish_account(l, w->which, &end);
    } else if (!p3_schedule_again(l->schedule, w->which, when)) {
        p3_problem_memory(&end);
        finish_account(l, w->which, &end);
    } else if (again == P3_AGAIN_LATER) {
        tell_notice(l, w->which, P3_NOTICE_WAITING, &w->turns.problem, (double)wait_ms / 1000);
    }
}

/* Ends a visit; the last active one takes its place. */
static void end_visit(p3_loop *l, size_t place)
{
    p3_work *w = l->active[place];
    p3_visit *v = w->visit;
    w->visit = NULL;
    l->active[place] = l->active[p3_schedule_active(l->schedule) - 1];
    after_visit(l, w, v);
    p3_visit_free(v);
}

static p3_work *make_work(const p3_loop *l, size_t which)
{
    p3_work *w = calloc(1, sizeof *w);
    if (w != NULL)
        *w = (p3_work){.which = which, .account = l->accounts[which]};
    return w;
}

/* An account has its turn. */
static void begin_visit(p3_loop *l, size_t which)
{
    const p3_problem *why = l->accounts[which]->unusable;
    p3_problem no_memory;
    p3_work *w = l->works[which];
    if (why == NULL) {
        if (w == NULL)
            w = l->works[which] = make_work(l, which);
        if (w != NULL)
            w->visit = p3_visit_new(&l->run, w->account, &w->turns.history);
        if (w != NULL && w->visit != NULL) {
            w->ready = true;
            l->active[p3_schedule_active(l->schedule) - 1] = w;
            return;
        }
        p3_problem_memory(&no_memory);
        why = &no_memory;
    }
    p3_schedule_finish(l->schedule, which);
    finish_account(l, which, why);
}

/* Begins visits that are due. Returns whether any began. */
static bool begin_visits(p3_loop *l)
{
    size_t which;
    bool any = false;
    while (p3_schedule_take(l->schedule, p3_clock_ms(), &which)) {
        begin_visit(l, which);
        any = true;
    }
    return any;
}

/* ---- waiting ---- */

static void sooner(int *timeout, int64_t ms)
{
    int bounded = ms < 0 ? 0 : ms > 3600000 ? 3600000 : (int)ms;
    if (*timeout < 0 || bounded < *timeout)
        *timeout = bounded;
}

/* Milliseconds until a session must be stepped in any case. */
static int64_t due_in(const p3_work *w)
{
    const pop3_client *client = p3_visit_polls(w->visit);
    if (client == NULL)
        return INT64_MAX;
    int deadline = pop3_client_deadline(client);
    int64_t left = p3_visit_time_left(w->visit);
    return deadline >= 0 && deadline < left ? deadline : left;
}

/* Adds the sockets of a session to the polled ones. */
static void watch(p3_loop *l, p3_work *w, size_t *n, int *timeout)
{
    pop3_waitable waits[POP3_MAX_WAITABLES];
    pop3_client *client = p3_visit_polls(w->visit);
    w->first = *n;
    w->polled = client != NULL ? pop3_client_waitables(client, waits, POP3_MAX_WAITABLES) : 0;
    for (size_t k = 0; k < w->polled; k++) {
        short events = (short)((waits[k].read ? POLLIN : 0) | (waits[k].write ? POLLOUT : 0));
        l->fds[(*n)++] = (struct pollfd){.fd = waits[k].fd, .events = events};
    }
    if (client != NULL)
        sooner(timeout, due_in(w));
}

/* Collects the descriptors to wait on, starting with those that belong to no visit. Returns their
 * number. */
static size_t gather_waitables(p3_loop *l, int *timeout)
{
    size_t n = 0;
    int64_t next = p3_schedule_next(l->schedule);
    *timeout = -1;
    l->fds[n++] =
        (struct pollfd){.fd = l->stopped ? -1 : l->run.options->stop_fd, .events = POLLIN};
    l->fds[n++] = (struct pollfd){.fd = p3_jobs_fd(l->run.jobs), .events = POLLIN};
    for (size_t i = 0; i < p3_schedule_active(l->schedule); i++)
        watch(l, l->active[i], &n, timeout);
    if (next < INT64_MAX)
        sooner(timeout, next - p3_clock_ms());
    if (l->stopped)
        sooner(timeout, l->farewell);
    return n;
}

/* Finds out which sessions must be stepped. `waits`: waits until one must. */
static void poll_visits(p3_loop *l, bool waits)
{
    int timeout;
    size_t n = gather_waitables(l, &timeout);
    if (poll(l->fds, (nfds_t)n, waits ? timeout : 0) < 0)
        return; /* after a signal: check everything again */
    for (size_t i = 0; i < p3_schedule_active(l->schedule); i++) {
        p3_work *w = l->active[i];
        w->ready = w->ready || due_in(w) <= 0;
        for (size_t k = 0; k < w->polled; k++)
            w->ready = w->ready || l->fds[w->first + k].revents != 0;
    }
}

/* ---- the loop ---- */

/* The run is to end: visits end soon, and accounts that have not begun, or wait, are left to the
 * next run. */
static void stop_all(p3_loop *l)
{
    p3_problem stopped;
    p3_problem_set(&stopped, EX_TEMPFAIL, "stopped%s", p3_in_command(" by a signal"));
    l->stopped = true;
    for (size_t i = 0; i < p3_schedule_active(l->schedule); i++) {
        p3_visit_stop(l->active[i]->visit);
        l->active[i]->ready = true;
    }
    for (size_t i = 0; i < l->count; i++) {
        if (l->exits[i] == P3_NOT_OVER && (l->works[i] == NULL || l->works[i]->visit == NULL))
            finish_account(l, i, &stopped);
    }
}

/* While the run is ending: gives up messages of which nothing more arrives. Returns the
 * milliseconds until the next check. */
static int64_t abandon_silent(p3_loop *l)
{
    int64_t now = p3_clock_ms();
    int64_t soonest = P3_FAREWELL_MS;
    for (size_t i = 0; i < p3_schedule_active(l->schedule); i++) {
        p3_work *w = l->active[i];
        if (p3_visit_polls(w->visit) == NULL)
            continue;
        uint64_t octets = p3_visit_octets(w->visit);
        if (w->silent == 0 || octets != w->octets) {
            w->octets = octets;
            w->silent = now;
        } else if (now - w->silent >= P3_FAREWELL_MS) {
            p3_visit_abandon(w->visit);
            w->ready = true;
        }
        if (w->silent + P3_FAREWELL_MS - now < soonest)
            soonest = w->silent + P3_FAREWELL_MS - now;
    }
    return soonest;
}

/* Steps the ready sessions. Returns whether another round is needed: a step may have woken others,
 * or made room. */
static bool step_visits(p3_loop *l)
{
    bool more = false;
    size_t i = 0;
    while (i < p3_schedule_active(l->schedule)) {
        p3_work *w = l->active[i];
        bool wanted = w->ready || p3_visit_is_woken(w->visit);
        w->ready = false;
        if (wanted && !p3_visit_step(w->visit)) {
            end_visit(l, i); /* another one is at this index now */
            more = true;
        } else {
            i++;
        }
    }
    for (i = 0; i < p3_schedule_active(l->schedule) && !more; i++)
        more = p3_visit_is_woken(l->active[i]->visit);
    return more;
}

/* Does what can be done without waiting. Returns whether anything is left. */
static bool go_on(p3_loop *l)
{
    bool more = true;
    while (more && l->done < l->count) {
        if (!l->stopped && p3_stop_is_asked(l->run.options))
            stop_all(l);
        if (l->stopped)
            l->farewell = abandon_silent(l);
        else
            (void)begin_visits(l);
        more = step_visits(l);
    }
    return l->done < l->count;
}

/* Does what can be done, or waits until something can. Returns whether anything is left. */
static bool step_due(p3_loop *l, bool waits)
{
    poll_visits(l, waits);
    p3_jobs_reap(l->run.jobs);
    return go_on(l);
}

void p3_sync_run(p3_loop *l)
{
    bool left = step_due(l, false);
    while (left)
        left = step_due(l, true);
}

static bool prepare_loop(p3_loop *l, const p3_sync_options *o, p3_problem *why)
{
    size_t most = l->count < o->jobs ? l->count : o->jobs;
    l->schedule = p3_schedule_new(l->accounts, l->count, o->jobs, o->per_host);
    l->works = calloc(l->count + 1, sizeof(p3_work *));
    l->exits = malloc(l->count + 1);
    l->active = calloc(most + 1, sizeof(p3_work *));
    l->fds = calloc(most * POP3_MAX_WAITABLES + P3_NOT_OF_A_VISIT, sizeof *l->fds);
    if (l->schedule == NULL || l->works == NULL || l->exits == NULL || l->active == NULL ||
        l->fds == NULL)
        return p3_problem_set(why, EX_OSERR, "beginning: out of memory");
    memset(l->exits, P3_NOT_OVER, l->count);
    return p3_run_begin(&l->run, o, l->accounts, l->count, why);
}

static int status_of(const p3_loop *l)
{
    int status = EX_OK;
    for (size_t i = 0; i < l->count; i++)
        status = p3_exit_of_both(status, l->exits[i]);
    return status;
}

static void release(p3_loop *l)
{
    p3_run_end(&l->run);
    p3_schedule_free(l->schedule);
    free(l->fds);
    free(l->active);
    free(l->exits);
    free(l->works);
    free(l);
}

p3_loop *p3_sync_begin(const p3_sync_options *options, const p3_account *const *accounts,
                       size_t count, p3_problem *why)
{
    p3_loop *l = malloc(sizeof *l);
    if (l == NULL) {
        p3_problem_set(why, EX_OSERR, "beginning: out of memory");
        return NULL;
    }
    *l = (p3_loop){.accounts = accounts, .count = count};
    if (prepare_loop(l, options, why))
        return l;
    release(l);
    return NULL;
}

bool p3_sync_step(p3_loop *l)
{
    return step_due(l, false);
}

size_t p3_sync_waits(p3_loop *l, const struct pollfd **fds, int *timeout)
{
    size_t n = gather_waitables(l, timeout);
    *fds = l->fds + 1;
    return n - 1;
}

/* Gives up all pending work. */
static void abandon_all(p3_loop *l)
{
    stop_all(l);
    for (size_t i = 0; i < p3_schedule_active(l->schedule); i++)
        p3_visit_abandon(l->active[i]->visit);
    p3_sync_run(l);
}

void p3_sync_end(p3_loop *l, int *status)
{
    if (l->done < l->count)
        abandon_all(l);
    *status = status_of(l);
    release(l);
}

bool p3_sync(const p3_sync_options *options, const p3_account *const *accounts, size_t count,
             int *status, p3_problem *why)
{
    p3_loop *l = p3_sync_begin(options, accounts, count, why);
    if (l == NULL)
        return false;
    p3_sync_run(l);
    p3_sync_end(l, status);
    return true;
}
