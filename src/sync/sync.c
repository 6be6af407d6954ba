/* All accounts of a run in one loop over poll(2): which begin, which wait, which come back. */
#include "sync/sync.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "sync/attempts.h"
#include "sync/clock.h"
#include "sync/session.h"

/* What a server announces is waited for once in a run; one that wants us to stay away for longer
 * than this is left to the next run: milliseconds. */
#define P3_WAIT_MOST ((int64_t)15 * 60 * 1000)

typedef enum p3_turn { P3_TURN_WAITING, P3_TURN_ACTIVE, P3_TURN_DONE } p3_turn;

/* An account's place in the run. */
typedef struct p3_slot {
    const p3_account *account;
    p3_outcome *outcome;
    size_t host;    /* which one of the loop's */
    size_t mailbox; /* the same: accounts with one key are one mailbox */
    p3_turn turn;
    p3_session *session; /* P3_TURN_ACTIVE */
    int64_t not_before;  /* P3_TURN_WAITING: milliseconds */
    unsigned waits;      /* times the server sent us away */
    p3_attempts attempts;
    p3_approach approach; /* of the next session */
    p3_problem lost;      /* how the last session ended that had got as far as the listing */
    bool ready;           /* its socket is ready, or its time has come */
    bool delayed;         /* it has waited for as long as the server announced */
    uint64_t octets;      /* when the run is to end: what had come when it was last looked, */
    int64_t silent;       /* and since when it is that much */
} p3_slot;

typedef struct p3_loop {
    p3_run run;
    p3_slot *slots;
    size_t count;
    size_t active;
    size_t done;
    unsigned *at_host;    /* of each host: active sessions */
    unsigned *at_mailbox; /* of each mailbox: whether one is; the state's lock only keeps other
                             processes away */
    struct pollfd *fds;
    size_t *owners; /* of each descriptor: its slot */
    bool stopped;
    int64_t farewell; /* then: milliseconds until silent sessions are to be looked at */
} p3_loop;

/* ---- beginning and ending sessions ---- */

static void tell(p3_loop *l, p3_slot *slot, p3_notice_kind kind, double seconds)
{
    const p3_sync_options *o = l->run.options;
    p3_notice notice = {.kind = kind,
                        .account = slot->account,
                        .tally = &slot->outcome->tally,
                        .text = "",
                        .seconds = seconds};
    if (slot->outcome->problem.exit != 0)
        notice.problem = &slot->outcome->problem;
    if (o->notice != NULL)
        o->notice(o->notice_ctx, &notice);
}

/* What the run leaves for the next one, when it is anything. */
static void describe_rest(const p3_tally *t, p3_problem *out)
{
    char failed[80] = "";
    char unseen[120] = "";
    if (t->failed > 0)
        snprintf(failed, sizeof failed, "could not be retrieved or delivered: %" PRIu64, t->failed);
    if (t->unseen > 0)
        snprintf(unseen, sizeof unseen,
                 "could not be compared with the mail that was delivered before: %" PRIu64,
                 t->unseen);
    if (t->failed > 0 || t->unseen > 0)
        p3_problem_set(out, EX_TEMPFAIL,
                       "%s%s%s; what is on the server stays there and is tried again in the next "
                       "run",
                       failed, t->failed > 0 && t->unseen > 0 ? ", " : "", unseen);
}

static void settle_outcome(p3_loop *l, p3_slot *slot)
{
    p3_outcome *out = slot->outcome;
    if (out->problem.exit == 0)
        describe_rest(&out->tally, &out->problem);
    slot->turn = P3_TURN_DONE;
    l->done++;
    tell(l, slot, P3_NOTICE_OVER, 0);
}

/* A session that could not even begin its work says less than the one that it was to go on for. */
static void keep_loss(p3_slot *slot, const p3_session *s)
{
    p3_problem *out = &slot->outcome->problem;
    bool worked = p3_session_has_listed(s) || s->adapted;
    if (!worked && out->exit != 0 && slot->lost.exit != 0)
        p3_problem_set(out, s->problem.exit, "%.360s; then, coming back: %.360s", slot->lost.text,
                       s->problem.text);
    else if (worked)
        slot->lost = s->problem;
}

/* Decides what comes after a session: another one at once, another one later, or the end. */
static void after_session(p3_loop *l, p3_slot *slot, const p3_session *s)
{
    const p3_sync_options *o = l->run.options;
    bool another_way = s->adapted || s->next.care > slot->approach.care;
    bool ended_early = s->more && s->tally.deleted > slot->outcome->tally.deleted;
    p3_tally before = slot->outcome->tally;
    slot->outcome->tally = s->tally;
    slot->outcome->problem = s->problem;
    keep_loss(slot, s);
    bool goes_on =
        p3_attempts_again(&slot->attempts, &before, &s->tally, another_way || ended_early);
    slot->approach = s->next;
    slot->turn = P3_TURN_WAITING;
    bool again = ((s->problem.exit != 0 && s->retry) || s->more) && goes_on && !l->stopped;
    int64_t wait = (int64_t)o->retry_ms << slot->waits;
    if (wait < s->wait_ms)
        wait = s->wait_ms;
    bool announced = s->wait_ms > 0;
    bool too_long = announced && (slot->delayed || s->wait_ms > P3_WAIT_MOST);
    bool later = !again && s->come_back && slot->waits < o->retries && !too_long && !l->stopped;
    if (again || later) /* what failed is tried again, and counted again if it fails again */
        slot->outcome->tally.failed = slot->outcome->tally.unseen = slot->outcome->tally.skipped =
            0;
    if (again) {
        slot->not_before = 0;
    } else if (later) {
        slot->waits++;
        slot->delayed = slot->delayed || announced;
        slot->not_before = p3_clock_ms() + wait;
        tell(l, slot, P3_NOTICE_WAITING, (double)wait / 1000);
    } else {
        settle_outcome(l, slot);
    }
}

static void end_session(p3_loop *l, p3_slot *slot)
{
    p3_session *s = slot->session;
    slot->session = NULL;
    l->active--;
    l->at_host[slot->host]--;
    l->at_mailbox[slot->mailbox]--;
    after_session(l, slot, s);
    p3_session_free(s);
}

static bool may_begin(const p3_loop *l, const p3_slot *slot, int64_t now)
{
    const p3_sync_options *o = l->run.options;
    return slot->turn == P3_TURN_WAITING && slot->not_before <= now && l->active < o->jobs &&
           l->at_host[slot->host] < o->per_host && l->at_mailbox[slot->mailbox] == 0;
}

static void begin_session(p3_loop *l, p3_slot *slot)
{
    if (slot->account->unusable.exit != 0) {
        slot->outcome->problem = slot->account->unusable;
        settle_outcome(l, slot);
        return;
    }
    slot->outcome->problem.exit = 0;
    slot->session = p3_session_new(&l->run, slot->account, &slot->outcome->tally, &slot->approach);
    if (slot->session == NULL) {
        p3_problem_set(&slot->outcome->problem, EX_OSERR, "out of memory");
        settle_outcome(l, slot);
        return;
    }
    slot->turn = P3_TURN_ACTIVE;
    slot->ready = true;
    l->active++;
    l->at_host[slot->host]++;
    l->at_mailbox[slot->mailbox]++;
}

static void begin_sessions(p3_loop *l)
{
    int64_t now = p3_clock_ms();
    for (size_t i = 0; i < l->count && l->active < l->run.options->jobs; i++) {
        if (may_begin(l, &l->slots[i], now))
            begin_session(l, &l->slots[i]);
    }
}

/* ---- waiting ---- */

static void sooner(int *timeout, int64_t ms)
{
    int bounded = ms < 0 ? 0 : ms > 3600000 ? 3600000 : (int)ms;
    if (*timeout < 0 || bounded < *timeout)
        *timeout = bounded;
}

/* Adds the sockets of a slot to those that are polled. */
static void watch(p3_loop *l, size_t i, size_t *n, int *timeout)
{
    p3_slot *slot = &l->slots[i];
    pop3_waitable waits[POP3_MAX_WAITABLES];
    if (slot->turn != P3_TURN_ACTIVE || !p3_session_polls(slot->session))
        return;
    size_t found = pop3_client_waits(slot->session->client, waits, POP3_MAX_WAITABLES);
    for (size_t k = 0; k < found; k++) {
        short events = (short)((waits[k].read ? POLLIN : 0) | (waits[k].write ? POLLOUT : 0));
        l->owners[*n] = i;
        l->fds[(*n)++] = (struct pollfd){.fd = waits[k].fd, .events = events};
    }
    int deadline = pop3_client_deadline(slot->session->client);
    if (deadline >= 0)
        sooner(timeout, deadline);
    sooner(timeout, p3_session_patience(slot->session));
    slot->ready = deadline == 0;
}

static bool prepare_any(p3_loop *l)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->slots[i].turn == P3_TURN_ACTIVE && p3_session_prepare(l->slots[i].session))
            return true;
    }
    return false;
}

static void wait_for_any(p3_loop *l)
{
    size_t n = 0;
    int timeout = -1;
    int64_t now = p3_clock_ms();
    bool room = l->active < l->run.options->jobs;
    l->fds[n++] = (struct pollfd){.fd = p3_jobs_fd(l->run.jobs), .events = POLLIN};
    l->fds[n++] = (struct pollfd){.fd = l->run.options->stop_fd, .events = POLLIN};
    size_t first = n;
    for (size_t i = 0; i < l->count; i++) {
        watch(l, i, &n, &timeout);
        if (l->slots[i].turn == P3_TURN_WAITING && room && l->slots[i].not_before > now)
            sooner(&timeout, l->slots[i].not_before - now);
    }
    if (l->stopped) {
        l->fds[1].fd = -1;
        sooner(&timeout, l->farewell);
    }
    while (prepare_any(l) && poll(l->fds, (nfds_t)n, 0) == 0)
        continue;
    if (poll(l->fds, (nfds_t)n, timeout) < 0)
        return; /* a signal: look around again */
    for (size_t i = first; i < n; i++) {
        if (l->fds[i].revents != 0)
            l->slots[l->owners[i]].ready = true;
    }
    for (size_t i = 0; i < l->count; i++) {
        p3_slot *slot = &l->slots[i];
        if (slot->turn == P3_TURN_ACTIVE && p3_session_polls(slot->session) &&
            pop3_client_deadline(slot->session->client) == 0)
            slot->ready = true;
    }
}

/* ---- the loop ---- */

static void stop_all(p3_loop *l)
{
    l->stopped = true;
    for (size_t i = 0; i < l->count; i++) {
        p3_slot *slot = &l->slots[i];
        if (slot->turn == P3_TURN_ACTIVE) {
            p3_session_stop(slot->session);
            slot->ready = true;
        } else if (slot->turn == P3_TURN_WAITING) {
            p3_problem_set(&slot->outcome->problem, EX_TEMPFAIL, "stopped by a signal");
            settle_outcome(l, slot);
        }
    }
}

/* Once the run is to end: gives up messages in hand of which nothing more comes. Returns the
 * milliseconds after which to look again. */
static int64_t abandon_silent(p3_loop *l)
{
    int64_t now = p3_clock_ms();
    int64_t soonest = P3_FAREWELL_MS;
    for (size_t i = 0; i < l->count; i++) {
        p3_slot *slot = &l->slots[i];
        if (slot->turn != P3_TURN_ACTIVE || !p3_session_polls(slot->session))
            continue;
        uint64_t octets = p3_session_octets(slot->session);
        if (slot->silent == 0 || octets != slot->octets) {
            slot->octets = octets;
            slot->silent = now;
        } else if (now - slot->silent >= P3_FAREWELL_MS) {
            p3_session_abandon(slot->session);
            slot->ready = true;
        }
        if (slot->silent + P3_FAREWELL_MS - now < soonest)
            soonest = slot->silent + P3_FAREWELL_MS - now;
    }
    return soonest;
}

static void step_sessions(p3_loop *l)
{
    for (size_t i = 0; i < l->count; i++) {
        p3_slot *slot = &l->slots[i];
        if (slot->turn != P3_TURN_ACTIVE || !(slot->ready || slot->session->woken))
            continue;
        slot->ready = false;
        slot->session->woken = false;
        if (!p3_session_step(slot->session))
            end_session(l, slot);
    }
}

static void run_loop(p3_loop *l)
{
    while (l->done < l->count) {
        if (*l->run.options->stop && !l->stopped)
            stop_all(l);
        if (l->stopped)
            l->farewell = abandon_silent(l);
        begin_sessions(l);
        step_sessions(l);
        if (l->done == l->count)
            break;
        bool more = false; /* a step may have woken others, or made room */
        int64_t now = p3_clock_ms();
        for (size_t i = 0; i < l->count && !more; i++)
            more = may_begin(l, &l->slots[i], now) ||
                   (l->slots[i].turn == P3_TURN_ACTIVE && l->slots[i].session->woken);
        if (more)
            continue;
        wait_for_any(l);
        p3_jobs_reap(l->run.jobs);
    }
}

static const char *host_of(const p3_account *a)
{
    const pop3_client_options *o = &a->connection;
    const char *host = o->unix_socket != NULL ? o->unix_socket : o->host;
    return host != NULL ? host : "";
}

static int compare_hosts(const void *x, const void *y)
{
    const p3_slot *a = *(p3_slot *const *)x;
    const p3_slot *b = *(p3_slot *const *)y;
    return strcasecmp(host_of(a->account), host_of(b->account));
}

static const char *key_of(const p3_account *a)
{
    return a->key != NULL ? a->key : ""; /* one that cannot be used */
}

static int compare_mailboxes(const void *x, const void *y)
{
    const p3_slot *a = *(p3_slot *const *)x;
    const p3_slot *b = *(p3_slot *const *)y;
    return strcmp(key_of(a->account), key_of(b->account));
}

/* Numbers the hosts and mailboxes, so that sessions can be counted for each. */
static bool find_hosts(p3_loop *l)
{
    p3_slot **order = malloc((l->count + 1) * sizeof(p3_slot *));
    size_t hosts = 0;
    size_t mailboxes = 0;
    l->at_host = calloc(l->count + 1, sizeof *l->at_host);
    l->at_mailbox = calloc(l->count + 1, sizeof *l->at_mailbox);
    if (order == NULL || l->at_host == NULL || l->at_mailbox == NULL) {
        free(order);
        return false;
    }
    for (size_t i = 0; i < l->count; i++)
        order[i] = &l->slots[i];
    qsort(order, l->count, sizeof(p3_slot *), compare_hosts);
    for (size_t i = 0; i < l->count; i++) {
        hosts += i > 0 && compare_hosts(&order[i - 1], &order[i]) != 0;
        order[i]->host = hosts;
    }
    qsort(order, l->count, sizeof(p3_slot *), compare_mailboxes);
    for (size_t i = 0; i < l->count; i++) {
        mailboxes += i > 0 && compare_mailboxes(&order[i - 1], &order[i]) != 0;
        order[i]->mailbox = mailboxes;
    }
    free(order);
    return true;
}

/* Lets the caller give up rights, but for what is left of earlier runs: an account that delivers
 * elsewhere now may have intents at its old target. */
static bool confine(const p3_loop *l, const p3_account *accounts, p3_problem *why)
{
    const p3_sync_options *o = l->run.options;
    size_t found = 0;
    char **old = o->confine != NULL ? calloc(l->count + 1, sizeof *old) : NULL;
    if (o->confine == NULL)
        return true;
    if (old == NULL)
        return p3_problem_set(why, EX_OSERR, "beginning: out of memory");
    for (size_t i = 0; i < l->count; i++) {
        const p3_account *a = &accounts[i];
        p3_known_account known = {0};
        p3_problem later; /* what cannot be read now is a problem of the account's session */
        if (a->unusable.exit != 0 || !p3_state_account(l->run.state, a->key, &known, &later))
            continue;
        if (known.target != NULL && (a->target == NULL || strcmp(known.target, a->target) != 0)) {
            old[found++] = known.target;
            known.target = NULL;
        }
        p3_known_account_clear(&known);
    }
    o->confine(o->confine_ctx, (const char *const *)old, found);
    while (found > 0)
        free(old[--found]);
    free(old);
    return true;
}

static bool prepare(p3_loop *l, const p3_account *accounts, size_t count, p3_outcome *outcomes,
                    p3_problem *why)
{
    const p3_sync_options *o = l->run.options;
    size_t most = count < o->jobs ? count : o->jobs;
    l->slots = calloc(count + 1, sizeof *l->slots);
    l->fds = calloc(most * POP3_MAX_WAITABLES + 2, sizeof *l->fds);
    l->owners = calloc(most * POP3_MAX_WAITABLES + 2, sizeof *l->owners);
    l->run.jobs = p3_jobs_new();
    if (l->slots == NULL || l->fds == NULL || l->owners == NULL || l->run.jobs == NULL)
        return p3_problem_set(why, EX_OSERR, "beginning: out of memory or descriptors");
    l->count = count;
    for (size_t i = 0; i < count; i++) {
        l->slots[i] = (p3_slot){.account = &accounts[i], .outcome = &outcomes[i]};
        outcomes[i] = (p3_outcome){0};
    }
    if (!find_hosts(l))
        return p3_problem_set(why, EX_OSERR, "beginning: out of memory");
    int error = p3_names_init(&l->run.names);
    if (error != 0)
        return p3_problem_errno(why, error, "beginning: no random numbers");
    l->run.state = o->dry_run ? p3_state_open_to_look(o->state, why) : p3_state_open(o->state, why);
    if (l->run.state == NULL)
        return false;
    if (!confine(l, accounts, why))
        return false;
    if (o->dry_run)
        return true;
    l->run.committer = p3_committer_new(l->run.jobs, o->state);
    return l->run.committer != NULL || p3_problem_set(why, EX_OSERR, "beginning: out of memory");
}

bool p3_sync(const p3_sync_options *options, const p3_account *accounts, size_t count,
             p3_outcome *outcomes, p3_problem *why)
{
    p3_loop l = {.run = {.options = options}};
    bool ok = prepare(&l, accounts, count, outcomes, why);
    if (ok)
        run_loop(&l);
    p3_committer_free(l.run.committer);
    p3_jobs_free(l.run.jobs);
    p3_state_close(l.run.state);
    free(l.at_mailbox);
    free(l.at_host);
    free(l.owners);
    free(l.fds);
    free(l.slots);
    return ok;
}
