/* The order of a visit, on one page: begin() starts a stage, successor() says when it is done and
 * which stage follows. The parts below do the work and report what happened. */
#include "collect/visit.h"

#include <stdlib.h>
#include <sysexits.h>

#include "collect/outcome.h"
#include "collect/time_limit.h"
#include "collect/listing_warnings.h"
#include "collect/reply_order.h"
#include "support/clock.h"

struct p3_visit {
    p3_run *run;
    p3_parts parts;
    p3_listener listener; /* the visit, as the listener of its parts */
    p3_stage stage;       /* set only by enter(), and to P3_STAGE_OVER by fail() */
    p3_trust trust;       /* of this visit; for the next one see outcome */
    p3_outcome outcome;
    p3_time_limit time_limit;
    bool settled;      /* what its end means for received messages has been recorded */
    bool woken;        /* something it waited for has ended: step it */
    bool close_wanted; /* close the connection without QUIT when no callback runs */
};

/* ---- what parts tell ---- */

static void fail_visit(void *ctx, const p3_problem *problem)
{
    p3_visit *v = ctx;
    p3_verdict_note(&v->outcome.verdict, problem);
    if (v->parts.transfer.retriever.endless) /* the others are retrieved in another visit */
        p3_outcome_spare_trouble(&v->outcome);
    if (v->parts.comparer.endless != 0)
        p3_outcome_set_aside(&v->outcome, v->parts.comparer.endless);
    if (v->parts.transfer.retriever.odd && v->stage < P3_STAGE_RECORD) /* whatever ends the visit */
        p3_outcome_fall_out_of_step(&v->outcome);
    if (v->outcome.out_of_step) /* messages that have not been handed in are retrieved again */
        p3_batcher_throw_away(&v->parts.transfer.batcher);
    v->close_wanted = true;
    v->stage = P3_STAGE_OVER;
    v->parts.drop.over = true;
}

static void note_problem(void *ctx, const p3_problem *problem)
{
    p3_visit *v = ctx;
    p3_verdict_note(&v->outcome.verdict, problem);
}

static void learn(void *ctx, pop3_server_traits learned)
{
    p3_visit *v = ctx;
    p3_outcome_learn(&v->outcome, &v->parts, learned);
}

/* A limit on the whole session has passed; another session would circumvent it. */
static bool is_out_of_time(const p3_visit *v)
{
    int64_t most = v->parts.drop.account->connection.session_timeout_ms;
    return most > 0 && p3_clock_ms() - v->time_limit.begun_ms >= most;
}

/* The connection is lost or useless: a command ended with `status`, other than a refusal. */
static void lose_connection(void *ctx, pop3_status status)
{
    p3_visit *v = ctx;
    p3_problem why;
    if (v->stage >= P3_STAGE_RECORD)
        return; /* nothing more is expected from the connection */
    p3_outcome_of_loss(&v->outcome, &v->parts, v->stage, status, is_out_of_time(v), &why);
    fail_visit(v, &why);
}

/* ---- the order ---- */

/* These return false when out of memory. */

static bool make_plan(p3_visit *v)
{
    p3_maildrop *d = &v->parts.drop;
    d->passes_size =
        !v->parts.lister.list_with_uidl; /* the engine does not get sizes from such a LIST */
    p3_report_listed(d->report, d->box.count);
    if (!p3_plan_make(&d->plan, &d->box, &d->rows) ||
        (p3_maildrop_starts_now(d) && !p3_plan_doubt(&d->plan, &d->box, &d->rows)))
        return false;
    if (d->rows.count == 0) /* the first run */
        p3_warn_of_uids(d->report, &d->box, &d->plan);
    p3_choice_look_at_due(d, &v->trust, v->parts.authorization.only_deletes);
    p3_choice_set_aside(d, &v->trust);
    return true;
}

static bool begin_comparison(p3_parts *p)
{
    p3_maildrop *d = &p->drop;
    if (d->plan.looks > 0 && !p3_plan_resolve(&d->plan, &d->box, &d->rows))
        return false;
    p3_comparer_begin(&p->comparer);
    return true;
}

static bool begin_filter(p3_parts *p)
{
    p3_maildrop *d = &p->drop;
    if (!p3_plan_match(&d->plan, &d->box, &d->rows))
        return false;
    if (p3_maildrop_starts_now(d))
        return true;
    p3_choice_by_size(d);
    p3_filter_begin(&p->filter);
    return true;
}

static bool choose(p3_visit *v)
{
    p3_maildrop *d = &v->parts.drop;
    p3_choice *choice = &v->parts.choice;
    bool deletes = d->account->removal == P3_REMOVE_DELIVERED && !v->trust.frugal;
    p3_bounds bounds = {.spares_trouble = v->trust.caution != P3_CAUTION_NONE,
                        .only_deletes = v->parts.authorization.only_deletes,
                        .room = deletes ? p3_trust_quota(&v->trust, d->known.traits.quit_after)
                                        : SIZE_MAX};
    if (!p3_choose(d, &bounds, choice))
        return false;
    if (choice->problem.exit != 0)
        p3_verdict_note(&v->outcome.verdict, &choice->problem);
    p3_report_tell(d->report, P3_NOTICE_LISTED, NULL, NULL, NULL);
    if (v->run->options->dry_run)
        p3_choice_tell(choice, d);
    return true;
}

static void record_deletions(p3_visit *v)
{
    p3_parts *p = &v->parts;
    const p3_deleter *d = &p->transfer.deleter;
    size_t deleted = d->window.finished;
    bool idle = p->authorization.only_deletes && deleted == 0 && p->drop.plan.looks == 0;
    v->close_wanted = d->quit == P3_QUIT_NOT_ANSWERED;
    v->outcome.next.proven = p->transfer.proven;
    learn(v, p3_trust_confirm(&v->trust, &v->outcome.next, deleted > 0, idle));
    p3_report_deleted(&p->report, p3_deleter_record(d, &p->recorder, P3_GONE, "gone-recorded"));
}

/* Begins a stage. Any failure ends the visit. */
static void begin_stage(p3_visit *v)
{
    p3_parts *p = &v->parts;
    bool ok = true;
    switch (v->stage) {
    case P3_STAGE_SECRET:
        p3_authorization_find_secret(&p->authorization);
        break;
    case P3_STAGE_LOGIN:
        p3_authorization_log_in(&p->authorization);
        break;
    case P3_STAGE_LISTING:
        p3_lister_begin(&p->lister);
        break;
    case P3_STAGE_PLAN:
        ok = make_plan(v);
        break;
    case P3_STAGE_HEADERS:
        p3_header_reader_begin(&p->header_reader);
        break;
    case P3_STAGE_COMPARISON:
        ok = begin_comparison(p);
        break;
    case P3_STAGE_FILTER:
        ok = begin_filter(p);
        break;
    case P3_STAGE_CHOICE:
        ok = choose(v);
        break;
    case P3_STAGE_RETRIEVAL:
        p3_transfer_begin(&p->transfer, &p->choice, p->authorization.only_deletes);
        break;
    case P3_STAGE_DELETION:
        (void)p3_deleter_record(&p->transfer.deleter, &p->recorder, P3_LEAVING, "leaving-recorded");
        break;
    case P3_STAGE_QUIT:
        p3_deleter_quit(&p->transfer.deleter);
        break;
    case P3_STAGE_RECORD:
        record_deletions(v);
        break;
    case P3_STAGE_OVER:
        break;
    }
    if (!ok)
        p3_maildrop_failed_memory(&p->drop);
}

/* The stage that is due now, possibly the present one: called whenever something has happened. Each
 * stage names its successor, which follows when its work is done. */
static p3_stage successor(p3_visit *v)
{
    p3_parts *p = &v->parts;
    switch (v->stage) {
    case P3_STAGE_SECRET:
        return p3_authorization_has_secret(&p->authorization) ? P3_STAGE_LOGIN : v->stage;
    case P3_STAGE_LOGIN:
        if (p->authorization.wants_secret) /* the server refused a token: request another */
            return P3_STAGE_SECRET;
        return p->authorization.done ? P3_STAGE_LISTING : v->stage;
    case P3_STAGE_LISTING:
        return p->lister.done ? P3_STAGE_PLAN : v->stage;
    case P3_STAGE_PLAN:
        return P3_STAGE_HEADERS;
    case P3_STAGE_HEADERS:
        return p3_window_is_done(&p->header_reader.window) ? P3_STAGE_COMPARISON : v->stage;
    case P3_STAGE_COMPARISON:
        return p3_window_is_done(&p->comparer.window) ? P3_STAGE_FILTER : v->stage;
    case P3_STAGE_FILTER:
        return p3_filter_is_done(&p->filter) ? P3_STAGE_CHOICE : v->stage;
    case P3_STAGE_CHOICE:
        return P3_STAGE_RETRIEVAL;
    case P3_STAGE_RETRIEVAL:
        return p3_transfer_advance(&p->transfer) ? P3_STAGE_DELETION : v->stage;
    case P3_STAGE_DELETION:
        return p->recorder.pending == 0 ? P3_STAGE_QUIT : v->stage;
    case P3_STAGE_QUIT:
        return p->transfer.deleter.quit != P3_QUIT_OPEN ? P3_STAGE_RECORD : v->stage;
    case P3_STAGE_RECORD:
        return p->recorder.pending == 0 ? P3_STAGE_OVER : v->stage;
    case P3_STAGE_OVER:
        break;
    }
    return P3_STAGE_OVER;
}

static void enter_stage(p3_visit *v, p3_stage stage)
{
    v->stage = stage;
    v->parts.drop.over = stage == P3_STAGE_OVER;
    begin_stage(v);
}

/* The visit has ended: received messages are kept, and doubts about them are recorded when nothing
 * else is pending. */
static void wind_up(p3_visit *v)
{
    p3_parts *p = &v->parts;
    v->outcome.verdict.more = p->choice.more || p->transfer.more || p->transfer.retriever.others;
    p3_batcher_hand_in(&p->transfer.batcher);
    if (p->recorder.pending > 0 || v->settled)
        return;
    v->settled = true;
    const p3_retriever *r = &p->transfer.retriever;
    /* If commands were in flight together, an extra reply may not have shown yet. */
    bool is_cut = !p->transfer.confirmed && p->drop.pipelined && !r->steps;
    if (v->outcome.out_of_step)
        p3_reply_order_doubt(&p->recorder, &r->window, !r->broke, r->steps);
    else if (!is_cut)
        p3_transfer_confirm(&p->transfer);
}

/* Continues after something has happened, as far as possible. */
static void advance(void *ctx)
{
    p3_visit *v = ctx;
    v->woken = true;
    for (;;) {
        p3_stage next = successor(v);
        if (v->stage == P3_STAGE_OVER || next == v->stage) /* it may have failed meanwhile */
            break;
        enter_stage(v, next);
    }
    if (v->stage == P3_STAGE_OVER)
        wind_up(v);
}

/* ---- beginning, stepping, ending ---- */

/* The first id whose rows can only be of messages delivered in this run. A delivery in doubt that
 * counts when it is received again is older. */
static int64_t first_id(const p3_rows *rows)
{
    int64_t last = 0;
    for (size_t i = 0; i < rows->count; i++) {
        if (rows->at[i].standing != P3_INTENT && rows->at[i].id > last)
            last = rows->at[i].id;
    }
    return last + 1;
}

p3_visit *p3_visit_new(p3_run *run, const p3_account *account, const p3_history *history)
{
    p3_visit *v = calloc(1, sizeof *v);
    p3_problem why = {0};
    if (v == NULL)
        return NULL;
    v->run = run;
    v->trust = history->trust;
    p3_outcome_begin(&v->outcome, &v->trust);
    v->listener = (p3_listener){advance, lose_connection, fail_visit, note_problem, learn, v};
    v->parts.report.tally = history->tally;
    v->parts.lister.told = history->told;
    p3_parts_init(&v->parts, run, account, &v->trust, &v->listener);
    p3_time_limit_begin(&v->time_limit, history->spent_ms, p3_clock_ms());
    p3_report_tell(&v->parts.report, P3_NOTICE_BEGUN, NULL, NULL, NULL);
    if (p3_parts_load(&v->parts, run->state, &why)) {
        v->parts.drop.run_first =
            history->first != 0 ? history->first : first_id(&v->parts.drop.rows);
        enter_stage(v, P3_STAGE_SECRET);
        advance(v);
    } else {
        fail_visit(v, &why);
    }
    return v;
}

static bool is_paused(const p3_visit *v)
{
    return v->parts.filter.busy || p3_batcher_is_behind(&v->parts.transfer.batcher);
}

pop3_client *p3_visit_polls(const p3_visit *v)
{
    bool polls = v->stage >= P3_STAGE_LOGIN && v->stage < P3_STAGE_OVER && !is_paused(v);
    return polls ? v->parts.drop.client : NULL;
}

bool p3_visit_is_woken(const p3_visit *v)
{
    return v->woken;
}

uint64_t p3_visit_octets(const p3_visit *v)
{
    return v->parts.drop.client != NULL ? pop3_client_received(v->parts.drop.client) : 0;
}

int64_t p3_visit_time_left(const p3_visit *v)
{
    if (v->parts.drop.account->connection.session_timeout_ms != 0 || v->stage < P3_STAGE_LOGIN ||
        v->stage >= P3_STAGE_RECORD)
        return INT64_MAX;
    return p3_time_limit_left(&v->time_limit, p3_visit_octets(v), p3_clock_ms());
}

/* Whether the server has exceeded the time limit; then ends the visit. Delivered messages are
 * recorded. */
static bool is_out_of_patience(p3_visit *v)
{
    p3_problem why;
    if (p3_visit_time_left(v) > 0)
        return false;
    p3_problem_set(&why, EX_TEMPFAIL,
                   "the session took too long: the server is slow, or holds it on purpose; if "
                   "sessions may take that long, set session-timeout");
    fail_visit(v, &why);
    return true;
}

bool p3_visit_step(p3_visit *v)
{
    p3_time_limit_pause(&v->time_limit, is_paused(v), p3_clock_ms());
    if (!is_out_of_patience(v) && p3_visit_polls(v) != NULL) {
        pop3_status status = pop3_client_step(v->parts.drop.client);
        if (status != POP3_OK && status != POP3_PENDING && !v->parts.authorization.wants_secret)
            lose_connection(v, status);
    }
    if (v->stage > P3_STAGE_LOGIN)
        p3_authorization_forget(&v->parts.authorization);
    if (v->close_wanted && v->parts.drop.client != NULL)
        pop3_client_close(v->parts.drop.client);
    advance(v);
    p3_time_limit_pause(&v->time_limit, is_paused(v), p3_clock_ms());
    v->woken = false;
    return v->stage != P3_STAGE_OVER || v->parts.recorder.pending > 0 || v->parts.filter.busy ||
           v->parts.authorization.searching;
}

void p3_visit_stop(p3_visit *v)
{
    if (v->stage < P3_STAGE_DELETION && v->parts.transfer.retriever.in_hand == P3_IN_HAND_NONE)
        p3_maildrop_stopped(&v->parts.drop, "");
}

void p3_visit_abandon(p3_visit *v)
{
    p3_maildrop_stopped(&v->parts.drop, ", before the current message was complete");
}

const p3_verdict *p3_visit_verdict(const p3_visit *v)
{
    return &v->outcome.verdict;
}

bool p3_visit_has_listed(const p3_visit *v)
{
    return v->parts.drop.box.sealed;
}

void p3_visit_history(const p3_visit *v, p3_history *out)
{
    *out = (p3_history){.tally = v->parts.report.tally,
                        .trust = v->outcome.next,
                        .spent_ms =
                            p3_time_limit_spent(&v->time_limit, p3_visit_octets(v), p3_clock_ms()),
                        .first = v->parts.drop.run_first,
                        .told = v->parts.lister.told};
}

void p3_visit_free(p3_visit *v)
{
    if (v == NULL)
        return;
    p3_parts_free(&v->parts, v->run->state);
    free(v);
}
