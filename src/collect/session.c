/* A session's life: it begins, is stepped, logs in, and ends. */
#include "collect/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "support/clock.h"
#include "collect/failure_text.h"
#include "collect/login.h"
#include "system/erase.h"

/* ---- telling, failing ---- */

void p3_session_tell(p3_session *s, p3_notice_kind kind, const p3_mail *mail, const char *text,
                     const p3_problem *problem)
{
    const p3_sync_options *o = s->run->options;
    p3_notice notice = {.kind = kind,
                        .account = s->account,
                        .tally = &s->tally,
                        .text = text != NULL ? text : "",
                        .problem = problem};
    if (mail != NULL) {
        notice.number = mail->number;
        notice.uid = mail->uid;
        notice.octets = mail->octets == P3_SIZE_UNKNOWN ? 0 : mail->octets;
    }
    if (o->notice != NULL)
        o->notice(o->notice_ctx, &notice);
}

void p3_session_fail(p3_session *s, const p3_problem *problem)
{
    if (s->problem.exit == 0)
        s->problem = *problem;
    s->close_wanted = true;
    s->stage = P3_STAGE_OVER;
}

void p3_session_fail_memory(p3_session *s)
{
    p3_problem why;
    p3_problem_set(&why, EX_OSERR, "out of memory");
    p3_session_fail(s, &why);
}

/* What the client found out about the server: not what it was told for this session alone. */
static pop3_server_traits found_out(const p3_session *s)
{
    pop3_server_traits traits = *pop3_client_traits(s->client);
    traits.flags &= s->only_deletes ? ~(uint32_t)POP3_TRAIT_NO_CAPA : UINT32_MAX;
    return traits;
}

void p3_session_lost(p3_session *s, pop3_status status)
{
    p3_problem why;
    if (s->stage >= P3_STAGE_GONE)
        return; /* nothing is expected of the connection any more */
    p3_describe_failure_of(s->client, s->account, status, &why);
    pop3_server_traits taught = pop3_server_traits_beyond(found_out(s), s->known.traits);
    p3_session_learn(s, taught);
    s->adapted = (taught.flags & POP3_TRAIT_NO_LATE_CAPA) != 0 || p3_session_adapt(s, status);
    if (s->adapted || s->stage == P3_STAGE_TAKING || s->stage == P3_STAGE_LOOKING ||
        (s->stage >= P3_STAGE_LISTING && why.exit == EX_TEMPFAIL))
        s->retry = !p3_session_is_out_of_time(s); /* a bound on the session would bound nothing */
    if (s->stage == P3_STAGE_QUIT && s->dropping.count > 0)
        p3_problem_set(
            &why, EX_TEMPFAIL,
            "%s: the deletion of %llu messages was not confirmed; the next run finds out",
            pop3_client_error(s->client)->message,
            (unsigned long long)pop3_client_deletions(s->client));
    p3_session_advise(s, status, &why);
    if (s->stage >= P3_STAGE_TAKING && p3_session_is_out_of_step(s, status))
        p3_session_fall_out(s);
    bool nonsense = status == POP3_ERR_PROTOCOL || status == POP3_ERR_LIMIT;
    bool optional = s->stage == P3_STAGE_LISTING && s->sizes_asked && !s->adapted;
    if ((optional && (nonsense || status == POP3_ERR_TIMEOUT)) ||
        (nonsense && s->stage == P3_STAGE_LOOKING)) {
        s->next.care = P3_CARE_STEPS;
        s->retry = !p3_session_is_out_of_time(s);
    }
    p3_session_fail(s, &why);
}

/* ---- recording ---- */

/* Plain changes that have been handed in. */
typedef struct p3_recording {
    p3_commit commit;
    p3_session *session;
    size_t allowed; /* intents: how many messages may be taken now; else 0 */
} p3_recording;

/* Intents are recorded: so many messages may be taken. */
static void allow(p3_session *s, size_t count)
{
    s->taking.allowed = count;
    if (s->delivery != NULL && s->delivery->class->expect != NULL)
        s->delivery->class->expect(s->delivery, &s->mail_names, count);
}

static void recorded(p3_job *job)
{
    p3_recording *r = (p3_recording *)job;
    p3_session *s = r->session;
    s->commits--;
    if (r->commit.problem.exit != 0)
        p3_session_fail(s, &r->commit.problem);
    else if (r->allowed > 0)
        allow(s, r->allowed);
    free(r->commit.changes);
    free(r);
    p3_session_advance(s);
}

/* Hands in what is to be recorded, and what follows from it: so many messages may be taken. */
static bool hand_in(p3_session *s, p3_commit what, size_t allowed)
{
    p3_recording *r = calloc(1, sizeof *r);
    if (r == NULL) {
        free(what.changes);
        p3_session_fail_memory(s);
        return false;
    }
    r->session = s;
    r->allowed = allowed;
    r->commit = what;
    r->commit.job.over = recorded;
    r->commit.account = s->known.id;
    r->commit.poisoned = &s->poisoned;
    s->commits++;
    p3_committer_add(s->run->committer, &r->commit);
    return true;
}

bool p3_session_record(p3_session *s, p3_change *changes, size_t count, const p3_target *target,
                       const char *reached)
{
    p3_commit what = {.changes = changes, .count = count, .target = target, .reached = reached};
    return hand_in(s, what, 0);
}

bool p3_session_record_for(p3_session *s, p3_change *changes, size_t count, const p3_target *target,
                           size_t allowed)
{
    p3_commit what = {
        .changes = changes, .count = count, .target = target, .reached = "intents-recorded"};
    return hand_in(s, what, allowed);
}

void p3_session_learn(p3_session *s, pop3_server_traits learned)
{
    learned = pop3_server_traits_beyond(learned, s->known.traits);
    if (pop3_server_traits_empty(learned))
        return;
    pop3_server_traits_add(&s->known.traits, learned);
    pop3_server_traits_add(&s->next.traits, learned);
    if (!s->run->options->dry_run)
        (void)hand_in(s, (p3_commit){.learned = learned}, 0);
}

p3_change p3_session_change(p3_session *s, const p3_mail *mail, p3_standing standing)
{
    p3_row *row = &s->rows.at[mail->row];
    row->standing = standing;
    if (standing == P3_GONE)
        row->time = time(NULL);
    row->uid = mail->uid;
    row->name = "";
    return (p3_change){.row = *row};
}

/* ---- connecting and logging in ---- */

/* One command at a time the server answers where it had fallen silent: it does not do what it
 * announces. Had it been silent again, it would just be slow, or gone. */
static void confirm_doubt(p3_session *s)
{
    if (s->approach.apart == P3_APART_SILENCE)
        p3_session_learn(s, (pop3_server_traits){.flags = POP3_TRAIT_ONE_AT_A_TIME});
}

/* Whether the server refused a token, and another may be had: once in a session. */
static bool may_renew_secret(const p3_session *s, pop3_status status)
{
    return s->secret.renewable && !s->secret_renewed && status == POP3_ERR_REFUSED &&
           pop3_client_error(s->client)->refused == POP3_REFUSED_TOKEN;
}

static void begin_secret(p3_session *s);

static void logged_in(void *ctx, pop3_client *client, const pop3_result *result)
{
    p3_session *s = ctx;
    (void)client;
    if (s->stage != P3_STAGE_LOGIN)
        return;
    if (result->status == POP3_OK || result->status == POP3_ERR_REFUSED)
        confirm_doubt(s);
    p3_session_learn(s, found_out(s));
    if (may_renew_secret(s, result->status)) {
        s->secret_renewed = true;
        begin_secret(s);
        return;
    }
    if (result->status != POP3_OK) {
        s->come_back = p3_is_for_later(s->client, result->status);
        s->wait_ms = (int64_t)pop3_client_error(s->client)->login_delay * 1000;
        p3_session_lost(s, result->status);
        return;
    }
    s->stage = P3_STAGE_LISTING;
    p3_session_list(s);
}

static void connect_and_log_in(p3_session *s)
{
    pop3_client_options o = s->account->connection;
    o.engine.limits.entries = P3_MAILBOX_MOST;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    handlers.done = logged_in;
    handlers.ctx = s;
    o.traits = s->known.traits;
    s->only_deletes = p3_session_only_deletes(s);
    if (s->only_deletes) /* CAPA tells of UTF8, which matters to what is retrieved alone */
        o.traits.flags |= POP3_TRAIT_NO_CAPA;
    if (s->approach.apart != P3_APART_NO || s->approach.care == P3_CARE_STEPS)
        o.engine.pipelining = POP3_PIPELINING_OFF;
    s->stage = P3_STAGE_LOGIN;
    pop3_client_free(s->client); /* of a login with a token that was refused */
    s->client = NULL;
    pop3_status status = pop3_client_new(&s->client, &o);
    if (status == POP3_OK)
        status = pop3_client_start(s->client);
    if (status == POP3_OK)
        status = p3_log_in(s->client, s->account, &s->secret,
                           s->only_deletes ? s->approach.mechanism : NULL, &handlers);
    if (status == POP3_OK)
        return;
    p3_problem why;
    if (s->client != NULL)
        p3_describe_failure_of(s->client, s->account, status, &why);
    else
        p3_problem_set(&why, EX_CONFIG, "connecting: %s", pop3_status_message(status));
    p3_session_fail(s, &why);
}

static void find_secret(p3_job *job)
{
    p3_session *s = (p3_session *)((char *)job - offsetof(p3_session, secret_job));
    if (!s->account->secret(s->account->secret_ctx, &s->secret, &s->secret_problem) &&
        s->secret_problem.exit == 0)
        p3_problem_set(&s->secret_problem, EX_CONFIG, "finding the password: there is none");
}

static void secret_found(p3_job *job)
{
    p3_session *s = (p3_session *)((char *)job - offsetof(p3_session, secret_job));
    if (s->secret_problem.exit != 0) {
        p3_session_fail(s, &s->secret_problem);
    } else if (s->stage == P3_STAGE_SECRET) {
        connect_and_log_in(s);
    }
    s->secret_job.run = NULL;
    s->woken = true;
}

static void begin_secret(p3_session *s)
{
    s->stage = P3_STAGE_SECRET;
    s->secret_job = (p3_job){.run = find_secret, .over = secret_found};
    if (s->account->secret != NULL && s->account->secret_at_hand) {
        find_secret(&s->secret_job);
        secret_found(&s->secret_job);
        return;
    }
    if (s->account->secret == NULL || !p3_jobs_start(s->run->jobs, &s->secret_job)) {
        p3_problem why;
        s->secret_job.run = NULL;
        p3_problem_set(&why, EX_OSERR, "finding the password: no thread for it");
        p3_session_fail(s, &why);
    }
}

/* ---- beginning, stepping, ending ---- */

static void prepare_windows(p3_session *s)
{
    s->looking = (p3_window){.session = s,
                             .kind = POP3_CMD_TOP,
                             .allowed = SIZE_MAX,
                             .most = P3_WINDOW,
                             .by_retr = SIZE_MAX};
    s->taking = (p3_window){.session = s, .kind = POP3_CMD_RETR, .most = P3_WINDOW};
    s->dropping = (p3_window){.session = s,
                              .kind = POP3_CMD_DELE,
                              .allowed = SIZE_MAX,
                              .most = P3_WINDOW,
                              .by_retr = SIZE_MAX};
}

/* Looks at the clock, and records what it says where mail is deleted by its age. */
static bool see_clock(p3_session *s)
{
    s->calendar = p3_calendar_read(time(NULL), s->known.seen);
    if (!s->calendar.changed || s->account->removal != P3_REMOVE_AFTER || s->run->options->dry_run)
        return true;
    return hand_in(s, (p3_commit){.seen = s->calendar.seen}, 0);
}

p3_session *p3_session_new(p3_run *run, const p3_account *account, const p3_tally *so_far,
                           const p3_approach *approach)
{
    p3_session *s = calloc(1, sizeof *s);
    p3_problem why = {0};
    if (s == NULL)
        return NULL;
    s->run = run;
    s->account = account;
    s->tally = *so_far;
    s->approach = s->next = *approach;
    s->owner = p3_owner_of(run->owner, account->key);
    p3_patience_begin(&s->patience, approach->spent_ms, p3_clock_ms());
    prepare_windows(s);
    p3_session_tell(s, P3_NOTICE_BEGUN, NULL, NULL, NULL);
    bool ok = p3_state_account(run->state, account->key, &s->known, &why);
    if (account->forget_traits)
        s->known.traits = (pop3_server_traits){0};
    pop3_server_traits_add(&s->known.traits, account->connection.traits);
    pop3_server_traits_add(&s->known.traits, approach->traits);
    if (ok && !run->options->dry_run)
        ok = s->locked = p3_state_lock(run->state, s->known.id, &why);
    if (ok)
        ok = p3_state_load(run->state, s->known.id, &s->rows, &why);
    if (!ok)
        p3_session_fail(s, &why);
    else if (see_clock(s) && p3_session_settle(s))
        begin_secret(s);
    return s;
}

static bool is_over(const p3_session *s)
{
    return s->stage == P3_STAGE_OVER && s->commits == 0 && !s->filter_busy &&
           s->secret_job.run == NULL;
}

static void forget_secret(p3_session *s)
{
    if (s->secret.text != NULL) {
        p3_erase(s->secret.text, s->secret.len);
        free(s->secret.text);
    }
    s->secret = (p3_secret){0};
}

/* Whether a slow delivery, or the disk, has to catch up before more is read. */
static bool is_paused(const p3_session *s)
{
    if (s->delivery == NULL)
        return s->filter_busy;
    return s->batches >= (s->delivery->class->alone ? 1u : 2u);
}

bool p3_session_polls(const p3_session *s)
{
    return s->client != NULL && s->stage >= P3_STAGE_LOGIN && s->stage < P3_STAGE_OVER &&
           !is_paused(s);
}

bool p3_session_prepare(p3_session *s)
{
    /* Not while a batch is delivered into the same folder: that would have to wait. */
    return s->stage == P3_STAGE_TAKING && s->delivery != NULL && s->batches == 0 &&
           s->delivery->class->prepare != NULL && s->delivery->class->prepare(s->delivery);
}

bool p3_session_has_listed(const p3_session *s)
{
    return s->box.sealed;
}

uint64_t p3_session_octets(const p3_session *s)
{
    return s->client != NULL ? pop3_client_received(s->client) : 0;
}

int64_t p3_session_patience(const p3_session *s)
{
    if (s->account->connection.session_timeout_ms != 0 || s->stage < P3_STAGE_LOGIN ||
        s->stage >= P3_STAGE_GONE)
        return INT64_MAX;
    return p3_patience_left(&s->patience, p3_session_octets(s), p3_clock_ms());
}

int64_t p3_session_spent(const p3_session *s)
{
    return p3_patience_spent(&s->patience, p3_session_octets(s), p3_clock_ms());
}

/* Whether the server dawdles for ever; ends the session then. What is delivered is recorded. */
static bool is_out_of_patience(p3_session *s)
{
    p3_problem why;
    if (p3_session_patience(s) > 0)
        return false;
    p3_problem_set(&why, EX_TEMPFAIL,
                   "the session was given up: the server is too slow, or means to hold it; if it "
                   "may take so long, set session-timeout");
    p3_session_fail(s, &why);
    return true;
}

bool p3_session_step(p3_session *s)
{
    p3_patience_pause(&s->patience, is_paused(s), p3_clock_ms());
    if (!is_out_of_patience(s) && p3_session_polls(s)) {
        pop3_status status = pop3_client_step(s->client);
        if (status != POP3_OK && status != POP3_PENDING)
            p3_session_lost(s, status);
    }
    if (s->stage > P3_STAGE_LOGIN)
        forget_secret(s);
    if (s->close_wanted && s->client != NULL)
        pop3_client_close(s->client);
    p3_session_advance(s);
    p3_patience_pause(&s->patience, is_paused(s), p3_clock_ms());
    s->woken = false;
    return !is_over(s);
}

void p3_session_stop(p3_session *s)
{
    bool at_work = s->stage < P3_STAGE_LEAVING && !s->in_message;
    if (at_work) {
        p3_problem why;
        p3_problem_set(&why, EX_TEMPFAIL, "stopped by a signal");
        p3_session_fail(s, &why);
    }
}

void p3_session_abandon(p3_session *s)
{
    p3_problem why;
    p3_problem_set(&why, EX_TEMPFAIL, "stopped by a signal, before the message in hand had come");
    p3_session_fail(s, &why);
}

void p3_session_free(p3_session *s)
{
    if (s == NULL)
        return;
    pop3_client_free(s->client);
    if (s->message.delivery != NULL)
        p3_message_free(&s->message);
    if (s->delivery != NULL)
        s->delivery->class->close(s->delivery);
    if (s->settled != NULL && s->settled->class->recorded != NULL)
        s->settled->class->recorded(s->settled, NULL, !s->poisoned);
    if (s->settled != NULL)
        s->settled->class->close(s->settled);
    if (s->locked)
        p3_state_unlock(s->run->state, s->known.id);
    forget_secret(s);
    p3_known_account_clear(&s->known);
    p3_rows_free(&s->rows);
    p3_mailbox_free(&s->box);
    p3_plan_free(&s->plan);
    p3_others_free(&s->others);
    p3_header_free(&s->look);
    p3_body_hash_free(s->body);
    p3_window_free(&s->looking);
    p3_window_free(&s->taking);
    p3_window_free(&s->dropping);
    free(s->parcels);
    p3_name_list_free(&s->mail_names);
    free(s);
}

void p3_session_advance(p3_session *s)
{
    s->woken = true;
    switch (s->stage) {
    case P3_STAGE_LOOKING:
    case P3_STAGE_FILTER:
        p3_session_filter(s);
        break;
    case P3_STAGE_TAKING:
    case P3_STAGE_OVER:
        p3_session_take(s);
        break;
    case P3_STAGE_LEAVING:
        if (s->commits == 0)
            p3_session_submit_quit(s);
        break;
    case P3_STAGE_GONE:
        if (s->commits == 0)
            s->stage = P3_STAGE_OVER;
        break;
    default:
        break;
    }
}
