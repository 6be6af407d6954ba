/* A session's life: it begins, is stepped, logs in, and ends. */
#include "sync/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "sync/failure_text.h"
#include "sync/fault.h"
#include "sync/login.h"

/* Commands under way at a time: as many as the client sends in one window, twice. */
#define P3_WINDOW 2048

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

void p3_session_lost(p3_session *s, pop3_status status)
{
    p3_problem why;
    if (s->stage == P3_STAGE_OVER)
        return;
    p3_describe_failure(s->client, status, s->stage == P3_STAGE_LOGIN, &why);
    if (s->stage >= P3_STAGE_LISTING && why.exit == EX_TEMPFAIL)
        s->retry = true;
    if (s->stage == P3_STAGE_TAKING || s->stage == P3_STAGE_LOOKING) {
        const pop3_capabilities *caps = pop3_client_capabilities(s->client);
        bool pipelined = caps != NULL && (caps->flags & POP3_CAP_PIPELINING) != 0;
        s->unpipelined = pipelined && status == POP3_ERR_TIMEOUT && s->known.pipelining;
        s->retry = true;
        if (s->unpipelined && !s->run->options->dry_run)
            (void)p3_session_record(s, NULL, 0, NULL, NULL);
    }
    if (s->stage == P3_STAGE_QUIT && s->dropping.count > 0)
        p3_problem_set(
            &why, EX_TEMPFAIL,
            "QUIT: the deletion of %llu messages was not confirmed; the next run finds out",
            (unsigned long long)pop3_client_deletions(s->client));
    p3_session_fail(s, &why);
}

/* ---- recording ---- */

/* Plain changes that have been handed in. */
typedef struct p3_recording {
    p3_commit commit;
    p3_session *session;
} p3_recording;

static void recorded(p3_job *job)
{
    p3_recording *r = (p3_recording *)job;
    p3_session *s = r->session;
    s->commits--;
    if (r->commit.problem.exit != 0)
        p3_session_fail(s, &r->commit.problem);
    free(r->commit.changes);
    free(r);
    p3_session_advance(s);
}

bool p3_session_record(p3_session *s, p3_change *changes, size_t count, const char *target,
                       const char *reached)
{
    p3_recording *r = calloc(1, sizeof *r);
    if (r == NULL) {
        free(changes);
        p3_session_fail_memory(s);
        return false;
    }
    r->session = s;
    r->commit = (p3_commit){.job = {.over = recorded},
                            .account = s->known.id,
                            .changes = changes,
                            .count = count,
                            .target = target,
                            .poisoned = &s->poisoned,
                            .pipelining_lies = s->unpipelined,
                            .reached = reached};
    s->commits++;
    p3_committer_add(s->run->committer, &r->commit);
    return true;
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

static void logged_in(void *ctx, pop3_client *client, const pop3_result *result)
{
    p3_session *s = ctx;
    (void)client;
    if (s->stage != P3_STAGE_LOGIN)
        return;
    if (result->status != POP3_OK) {
        s->come_back = p3_is_for_later(s->client, result->status);
        s->wait_ms = (int64_t)pop3_client_error(s->client)->login_delay * 1000;
        p3_session_lost(s, result->status);
        return;
    }
    s->stage = P3_STAGE_LISTING;
    p3_session_list(s);
}

/* Messages that one mailbox may have: a listing takes some 64 octets of memory for each. */
#define P3_MAILBOX_MOST 2000000

static void connect_and_log_in(p3_session *s)
{
    pop3_client_options o = s->account->connection;
    o.limits.entries = P3_MAILBOX_MOST;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    handlers.done = logged_in;
    handlers.ctx = s;
    if (!s->known.pipelining)
        o.pipelining = POP3_PIPELINING_OFF;
    s->stage = P3_STAGE_LOGIN;
    pop3_status status = pop3_client_new(&s->client, &o);
    if (status == POP3_OK)
        status = pop3_client_start(s->client);
    if (status == POP3_OK)
        status = p3_log_in(s->client, s->account, &s->secret, &handlers);
    if (status == POP3_OK)
        return;
    p3_problem why;
    if (s->client != NULL)
        p3_describe_failure(s->client, status, true, &why);
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
    if (s->account->secret == NULL || !p3_jobs_start(s->run->jobs, &s->secret_job)) {
        p3_problem why;
        s->secret_job.run = NULL;
        p3_problem_set(&why, EX_OSERR, "finding the password: no thread for it");
        p3_session_fail(s, &why);
    }
}

/* ---- intents left over ---- */

/* The fingerprint of a message that was delivered, so far as it can be read back unaltered. */
static void read_fingerprint(p3_session *s, p3_delivery *d, p3_row *row, char *room)
{
    p3_header h = {0};
    if (d->class->read_back == NULL || s->account->received || s->account->delivered_to != NULL)
        return;
    p3_header_take(&h, room, d->class->read_back(d, row->name, room, P3_HEADER_MOST));
    if (h.done && !h.failed)
        row->fingerprint = p3_fingerprint_of(h.data, h.len);
    p3_header_free(&h);
}

/* Records which intents turned out to be delivered, and with what header. */
static bool settle_rows(p3_session *s, p3_delivery *d, const p3_left_over *left, size_t count)
{
    char *room = malloc(P3_HEADER_MOST);
    p3_change *changes = calloc(count, sizeof *changes);
    size_t n = 0;
    if (room == NULL || changes == NULL) {
        free(room);
        free(changes);
        p3_session_fail_memory(s);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        p3_row *row = &s->rows.at[left[i].row];
        if (!left[i].there)
            continue;
        read_fingerprint(s, d, row, room);
        row->standing = P3_DELIVERED;
        row->time = time(NULL);
        row->name = "";
        s->tally.delivered++;
        changes[n++].row = *row;
    }
    free(room);
    return p3_session_record(s, changes, n, NULL, "settled");
}

/* Looks at the target for what an earlier run may have delivered without recording it. */
static bool settle(p3_session *s)
{
    p3_problem why = {0};
    size_t count = 0;
    for (size_t i = 0; i < s->rows.count; i++)
        count += s->rows.at[i].standing == P3_INTENT;
    if (count == 0 || s->known.target == NULL || s->run->options->dry_run)
        return true;
    p3_left_over *left = calloc(count, sizeof *left);
    p3_delivery *d = left != NULL ? p3_delivery_open(s->known.target, &why) : NULL;
    bool ok = d != NULL;
    count = 0;
    for (size_t i = 0; ok && i < s->rows.count; i++) {
        if (s->rows.at[i].standing == P3_INTENT && s->rows.at[i].name[0] != '\0')
            left[count++] = (p3_left_over){.name = s->rows.at[i].name, .row = i};
    }
    if (ok && count > 0) {
        ok = d->class->settle(d, left, count, &why);
        if (ok)
            ok = settle_rows(s, d, left, count);
    }
    if (left == NULL)
        p3_session_fail_memory(s);
    else if (!ok && why.exit != 0)
        p3_session_fail(s, &why);
    s->settled = d; /* closed when what was found is recorded */
    free(left);
    return ok;
}

/* ---- beginning, stepping, ending ---- */

static void prepare_windows(p3_session *s)
{
    s->looking = (p3_window){.session = s, .kind = POP3_CMD_TOP, .most = P3_WINDOW};
    s->taking = (p3_window){.session = s, .kind = POP3_CMD_RETR, .most = P3_WINDOW};
    s->dropping = (p3_window){.session = s, .kind = POP3_CMD_DELE, .most = P3_WINDOW};
}

p3_session *p3_session_new(p3_run *run, const p3_account *account, const p3_tally *so_far)
{
    p3_session *s = calloc(1, sizeof *s);
    p3_problem why = {0};
    if (s == NULL)
        return NULL;
    s->run = run;
    s->account = account;
    s->tally = *so_far;
    prepare_windows(s);
    p3_session_tell(s, P3_NOTICE_BEGUN, NULL, NULL, NULL);
    bool ok = p3_state_account(run->state, account->key, &s->known, &why);
    if (ok && !run->options->dry_run)
        ok = s->locked = p3_state_lock(run->state, s->known.id, &why);
    if (ok)
        ok = p3_state_load(run->state, s->known.id, &s->rows, &why);
    if (!ok)
        p3_session_fail(s, &why);
    else if (settle(s))
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
        explicit_bzero(s->secret.text, s->secret.len);
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

bool p3_session_step(p3_session *s)
{
    if (p3_session_polls(s)) {
        pop3_status status = pop3_client_step(s->client);
        if (status != POP3_OK && status != POP3_PENDING)
            p3_session_lost(s, status);
    }
    if (s->stage > P3_STAGE_LOGIN)
        forget_secret(s);
    if (s->close_wanted && s->client != NULL)
        pop3_client_close(s->client);
    p3_session_advance(s);
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
    p3_header_free(&s->look);
    p3_window_free(&s->looking);
    p3_window_free(&s->taking);
    p3_window_free(&s->dropping);
    free(s->parcels);
    free(s->mail_names);
    free(s->added);
    free(s);
}

/* ---- QUIT ---- */

static void submit_quit(p3_session *s);

static void quit_answered(void *ctx, pop3_client *client, const pop3_result *result)
{
    p3_session *s = ctx;
    (void)client;
    p3_fault("quit-answered");
    if (s->stage != P3_STAGE_QUIT)
        return;
    bool harmless = pop3_client_deletions(s->client) == 0; /* nothing hung on the answer */
    if (result->status != POP3_OK && !harmless) {
        p3_session_lost(s, result->status);
        return;
    }
    s->close_wanted = result->status != POP3_OK;
    s->stage = P3_STAGE_GONE;
    size_t n = 0;
    p3_change *changes = calloc(s->dropping.count + 1, sizeof *changes);
    if (changes == NULL) {
        p3_session_fail_memory(s);
        return;
    }
    for (size_t i = 0; i < s->dropping.count; i++) {
        p3_mail *mail = &s->box.at[s->dropping.mails[i]];
        if (!mail->marked)
            continue;
        s->tally.deleted++;
        if (mail->row != P3_NO_ROW)
            changes[n++] = p3_session_change(s, mail, P3_GONE);
    }
    if (n > 0)
        (void)p3_session_record(s, changes, n, NULL, "gone-recorded");
    else
        free(changes);
    p3_session_advance(s);
}

static void submit_quit(p3_session *s)
{
    pop3_command quit = POP3_COMMAND_INIT;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    quit.kind = POP3_CMD_QUIT;
    handlers.done = quit_answered;
    handlers.ctx = s;
    s->stage = P3_STAGE_QUIT;
    p3_fault("before-quit");
    pop3_status status = pop3_client_submit(s->client, &quit, &handlers);
    if (status != POP3_OK)
        p3_session_lost(s, status);
}

void p3_session_finish(p3_session *s)
{
    size_t n = 0;
    s->stage = P3_STAGE_LEAVING;
    p3_change *changes = calloc(s->dropping.count + 1, sizeof *changes);
    if (changes == NULL) {
        p3_session_fail_memory(s);
        return;
    }
    for (size_t i = 0; i < s->dropping.count; i++) {
        p3_mail *mail = &s->box.at[s->dropping.mails[i]];
        if (mail->marked && mail->row != P3_NO_ROW)
            changes[n++] = p3_session_change(s, mail, P3_LEAVING);
    }
    if (n > 0)
        (void)p3_session_record(s, changes, n, NULL, "leaving-recorded");
    else
        free(changes);
    p3_session_advance(s);
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
            submit_quit(s);
        break;
    case P3_STAGE_GONE:
        if (s->commits == 0)
            s->stage = P3_STAGE_OVER;
        break;
    default:
        break;
    }
}
