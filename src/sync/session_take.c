/* A session's second half: intents, messages, batches. */
#include "sync/session.h"
#include "sync/fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* A batch is handed in when it has so many messages, or so many octets, or has been filling for so
 * long; and as soon as the disk has nothing to do, when it is worth its while. So the disk and the
 * line work at the same time: in large steps on a fast line, in small ones on a slow line. */
#define P3_BATCH_MESSAGES 1000
#define P3_BATCH_OCTETS   ((uint64_t)64 * 1024 * 1024)
#define P3_BATCH_MS       2000
#define P3_IDLE_MESSAGES  64
#define P3_IDLE_OCTETS    ((uint64_t)16 * 1024 * 1024)

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- batches ---- */

/* A batch that has been handed in. */
typedef struct p3_handed_in {
    p3_commit commit;
    p3_session *session;
} p3_handed_in;

static void parcel_over(p3_session *s, const p3_commit *c, size_t i)
{
    p3_parcel *p = &c->batch.parcels[i];
    p3_mail *mail = &s->box.at[p->entry];
    if (c->problem.exit == 0 && p->delivered) {
        s->tally.delivered++;
        s->rows.at[mail->row] = c->changes[i].row;
        if (p3_session_due(s, &c->changes[i].row))
            p3_session_drop(s, mail);
    } else if (p->problem != NULL) {
        s->tally.failed++;
        p3_session_tell(s, P3_NOTICE_FAILED, mail, NULL, p->problem);
    }
    free(p->problem);
    free(p->sender);
    if (p->fd >= 0)
        (void)close(p->fd);
}

static void batch_over(p3_job *job)
{
    p3_handed_in *h = (p3_handed_in *)job;
    p3_session *s = h->session;
    p3_commit *c = &h->commit;
    s->commits--;
    s->batches--;
    if (c->problem.exit != 0)
        p3_session_fail(s, &c->problem);
    for (size_t i = 0; i < c->batch.count; i++)
        parcel_over(s, c, i);
    const p3_delivery_class *class = s->delivery->class;
    if (class->recorded != NULL)
        class->recorded(s->delivery, &c->batch, c->problem.exit == 0);
    if (c->problem.exit == 0)
        p3_session_tell(s, P3_NOTICE_DELIVERED, NULL, NULL, NULL);
    free(c->batch.parcels);
    free(c->changes);
    free(h);
    p3_session_advance(s);
}

static void deliver_slowly(p3_job *job)
{
    p3_batch *b = &((p3_handed_in *)job)->commit.batch;
    b->to->class->deliver(&b, 1);
}

/* The row that a parcel's message has once it is delivered. */
static p3_change change_for(const p3_session *s, const p3_parcel *p)
{
    const p3_mail *mail = &s->box.at[p->entry];
    p3_change change = {.row = s->rows.at[mail->row], .parcel = p};
    change.row.standing = P3_DELIVERED;
    change.row.time = time(NULL);
    change.row.name = "";
    return change;
}

static void slowly_delivered(p3_job *job);

/* Starts the next slow delivery: one at a time, in the order of the messages. */
static void start_slow(p3_session *s)
{
    p3_commit *c = s->slow;
    if (s->slow_runs || c == NULL)
        return;
    s->slow = c->next;
    s->slow_runs = true;
    c->job = (p3_job){.run = deliver_slowly, .over = slowly_delivered};
    if (p3_jobs_start(s->run->jobs, &c->job))
        return;
    p3_problem_errno(&c->batch.problem, errno, "delivering");
    slowly_delivered(&c->job);
}

/* A delivery that took its time is over: what came of it is recorded. */
static void slowly_delivered(p3_job *job)
{
    p3_handed_in *h = (p3_handed_in *)job;
    p3_session *s = h->session;
    h->commit.problem = h->commit.batch.problem;
    h->commit.job = (p3_job){.over = batch_over};
    p3_committer_add(s->run->committer, &h->commit);
    s->slow_runs = false;
    start_slow(s);
}

static void start_delivery(p3_session *s, p3_handed_in *h)
{
    s->commits++;
    s->batches++;
    if (!s->delivery->class->slow) {
        h->commit.job = (p3_job){.over = batch_over};
        p3_committer_add(s->run->committer, &h->commit);
        return;
    }
    p3_commit **end = &s->slow;
    while (*end != NULL)
        end = &(*end)->next;
    *end = &h->commit;
    start_slow(s);
}

/* Hands the batch in. */
static void hand_in(p3_session *s)
{
    size_t count = s->parcel_count;
    if (count == 0)
        return;
    p3_handed_in *h = calloc(1, sizeof *h);
    p3_change *changes = calloc(count, sizeof *changes);
    s->parcel_count = 0;
    s->parcel_octets = 0;
    if (h == NULL || changes == NULL) {
        free(h);
        free(changes);
        p3_session_fail_memory(s);
        return;
    }
    for (size_t i = 0; i < count; i++)
        changes[i] = change_for(s, &s->parcels[i]);
    h->session = s;
    h->commit = (p3_commit){.account = s->known.id,
                            .batch = {.to = s->delivery, .parcels = s->parcels, .count = count},
                            .changes = changes,
                            .count = count,
                            .poisoned = &s->poisoned,
                            .reached = "delivered-recorded"};
    s->parcels = NULL;
    if (s->delivery->class->seal != NULL)
        s->delivery->class->seal(s->delivery, &h->commit.batch);
    start_delivery(s, h);
}

static bool batch_is_full(const p3_session *s)
{
    if (s->batches == 0 &&
        (s->parcel_count >= P3_IDLE_MESSAGES || s->parcel_octets >= P3_IDLE_OCTETS))
        return true;
    return s->delivery->class->alone || s->parcel_count == P3_BATCH_MESSAGES ||
           s->parcel_octets >= P3_BATCH_OCTETS || now_ms() - s->batch_since >= P3_BATCH_MS;
}

static void add_parcel(p3_session *s, const p3_parcel *parcel)
{
    if (s->parcels == NULL) {
        size_t cap = s->delivery->class->alone ? 1 : P3_BATCH_MESSAGES;
        if (s->taking.count < cap)
            cap = s->taking.count;
        s->parcels = calloc(cap, sizeof *s->parcels);
        if (s->parcels == NULL) {
            p3_session_fail_memory(s);
            return;
        }
    }
    if (s->parcel_count == 0)
        s->batch_since = now_ms();
    s->parcels[s->parcel_count++] = *parcel;
    s->parcel_octets += parcel->octets;
    if (batch_is_full(s))
        hand_in(s);
}

/* ---- one message ---- */

/* The lines that the account wants added to its messages (RFC 5322 §3.6.7, RFC 5321 §4.4). */
static bool add_lines(p3_session *s)
{
    const p3_account *a = s->account;
    char text[1024];
    char date[64];
    struct tm t;
    time_t now = time(NULL);
    if (a->delivered_to != NULL) {
        snprintf(text, sizeof text, "Delivered-To: %s\n", a->delivered_to);
        if (!p3_message_add(&s->message, text))
            return false;
    }
    if (!a->received || localtime_r(&now, &t) == NULL)
        return true;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S %z", &t);
    snprintf(text, sizeof text, "Received: from %s by %s\n with POP3 (pop3 %s); %s\n",
             a->connection.host != NULL ? a->connection.host : "localhost", s->run->names.host,
             pop3_version(), date);
    return p3_message_add(&s->message, text);
}

static bool begin_message(p3_session *s)
{
    s->in_message = true;
    p3_message_begin(&s->message, s->mail_names[s->taking.finished]);
    return add_lines(s);
}

/* A message cannot be delivered. Whatever ails the target ends the session; that a file may not
 * grow so large is this message's own trouble. */
static pop3_sink_result cannot_deliver(p3_session *s)
{
    s->message_failed = true;
    if (s->message.why.error == EFBIG)
        return POP3_SINK_DISCARD;
    p3_session_fail(s, &s->message.why);
    return POP3_SINK_ABORT;
}

static pop3_sink_result take_octets(p3_session *s, const char *data, size_t len)
{
    if (s->stage != P3_STAGE_TAKING)
        return POP3_SINK_ABORT;
    if (s->message_failed)
        return POP3_SINK_DISCARD;
    if (!s->in_message && !begin_message(s))
        return cannot_deliver(s);
    return p3_message_take(&s->message, data, len) ? POP3_SINK_CONTINUE : cannot_deliver(s);
}

static void wrap_up(p3_session *s, p3_mail *mail, uint64_t octets)
{
    p3_parcel parcel = {.entry = (size_t)(mail - s->box.at), .fd = -1};
    if (s->message_failed || (!s->in_message && !begin_message(s)) ||
        !p3_message_finish(&s->message, &parcel)) {
        if (!s->message_failed)
            (void)cannot_deliver(s);
        return;
    }
    const p3_header *h = &s->message.header;
    if (!h->failed)
        s->rows.at[mail->row].fingerprint = p3_fingerprint_of(h->data, h->len);
    mail->octets = octets;
    s->tally.retrieved++;
    s->tally.octets += octets;
    p3_session_tell(s, P3_NOTICE_MESSAGE, mail, NULL, NULL);
    add_parcel(s, &parcel);
}

/* A message did not come, or could not be kept: it stays on the server, and comes last next time.
 */
static void set_back(p3_session *s, p3_mail *mail, const p3_problem *why)
{
    s->tally.failed++;
    p3_session_tell(s, P3_NOTICE_FAILED, mail, NULL, why);
    p3_change *change = calloc(1, sizeof *change);
    if (change == NULL) {
        p3_session_fail_memory(s);
        return;
    }
    s->rows.at[mail->row].tries++;
    change->row = s->rows.at[mail->row];
    (void)p3_session_record(s, change, 1, NULL, NULL);
}

static void retrieved(p3_session *s, p3_mail *mail, const pop3_result *result)
{
    p3_problem why;
    bool at_work = s->stage == P3_STAGE_TAKING;
    if (at_work && result->status == POP3_OK)
        wrap_up(s, mail, result->octets);
    if (at_work && s->message_failed && s->message.why.error == EFBIG) {
        set_back(s, mail, &s->message.why);
    } else if (at_work && result->status == POP3_ERR_REFUSED) {
        p3_problem_set(&why, EX_TEMPFAIL, "%s", pop3_client_error(s->client)->message);
        set_back(s, mail, &why);
    } else if (at_work && result->status != POP3_OK) {
        p3_problem_set(&why, EX_TEMPFAIL, "%s", pop3_client_error(s->client)->message);
        if (s->in_message)
            set_back(s, mail, &why);
        p3_session_lost(s, result->status);
    }
    if (s->in_message)
        p3_message_abandon(&s->message); /* what is finished is not touched */
    s->in_message = s->message_failed = false;
    if (*s->run->options->stop)
        p3_session_stop(s);
}

/* ---- intents and other news about what is known ---- */

/* How a row is to be changed now that the mailbox has been seen. */
static bool change_row(p3_session *s, size_t i, p3_change *out)
{
    p3_row *row = &s->rows.at[i];
    int64_t now = time(NULL);
    if (s->plan.claimed[i] || row->standing == P3_INTENT) {
        *out = (p3_change){.row = *row, .forget = row->standing == P3_INTENT};
        return row->standing == P3_INTENT && !s->plan.claimed[i];
    }
    if (row->standing == P3_GONE) {
        *out = (p3_change){.row = *row, .forget = true};
        return row->time + P3_GONE_SECONDS < now;
    }
    row->standing = P3_GONE;
    row->time = now;
    *out = (p3_change){.row = *row};
    return true;
}

/* Whether a message that was looked at is not in the state as it ought to be. */
static bool change_kept(p3_session *s, const p3_mail *mail, p3_change *out)
{
    p3_row *row = &s->rows.at[mail->row];
    bool same = row->uid.len == mail->uid.len &&
                (row->uid.len == 0 || memcmp(row->uid.data, mail->uid.data, row->uid.len) == 0);
    if (same && row->standing == P3_DELIVERED)
        return false;
    row->standing = P3_DELIVERED;
    row->uid = mail->uid;
    *out = (p3_change){.row = *row};
    return true;
}

/* The intent to deliver a message under a name. */
static bool intend(p3_session *s, size_t i, p3_change *out)
{
    p3_mail *mail = &s->box.at[s->taking.mails[i]];
    if (mail->row == P3_NO_ROW)
        mail->row = p3_rows_add(&s->rows, mail->uid);
    if (mail->row == P3_NO_ROW)
        return false;
    p3_row *row = &s->rows.at[mail->row];
    row->standing = P3_INTENT;
    row->uid = mail->uid;
    row->name = s->mail_names[i];
    *out = (p3_change){.row = *row};
    return true;
}

/* Records what the listing tells, and what is about to be done. */
static bool record_intents(p3_session *s)
{
    size_t known = s->rows.count;
    size_t n = 0;
    p3_change *changes = calloc(known + s->box.count + s->taking.count + 1, sizeof *changes);
    s->mail_names = calloc(s->taking.count + 1, sizeof *s->mail_names);
    if (changes == NULL || s->mail_names == NULL) {
        free(changes);
        p3_session_fail_memory(s);
        return false;
    }
    for (size_t i = 0; i < known; i++)
        n += change_row(s, i, &changes[n]);
    for (size_t i = 0; i < s->box.count; i++) {
        if (s->box.at[i].todo == P3_TODO_KEEP)
            n += change_kept(s, &s->box.at[i], &changes[n]);
    }
    for (size_t i = 0; i < s->taking.count; i++) {
        p3_names_next(&s->run->names, s->mail_names[i], P3_NAME_SIZE);
        if (!intend(s, i, &changes[n++])) {
            free(changes);
            p3_session_fail_memory(s);
            return false;
        }
    }
    if (n > 0)
        return p3_session_record(s, changes, n, s->taking.count > 0 ? s->account->target : NULL,
                                 "intents-recorded");
    free(changes);
    return true;
}

/* ---- the stage ---- */

static bool open_target(p3_session *s)
{
    p3_problem why;
    s->delivery = p3_delivery_open(s->account->target, &why);
    if (s->delivery == NULL)
        p3_session_fail(s, &why);
    else if (!p3_message_init(&s->message, s->delivery, s->account->line_ends))
        p3_session_fail_memory(s);
    return s->stage != P3_STAGE_OVER;
}

void p3_session_begin_taking(p3_session *s)
{
    s->taking.sink = take_octets;
    s->taking.done = retrieved;
    if (s->taking.count > 0 && !open_target(s))
        return;
    s->stage = P3_STAGE_TAKING;
    if (!record_intents(s))
        return;
    for (size_t i = 0; i < s->box.count && s->stage == P3_STAGE_TAKING; i++) {
        p3_mail *mail = &s->box.at[i];
        if (mail->remove ||
            (mail->todo == P3_TODO_KEEP && p3_session_due(s, &s->rows.at[mail->row])))
            p3_session_drop(s, mail);
    }
    p3_session_advance(s);
}

static void dropped(p3_session *s, p3_mail *mail, const pop3_result *result)
{
    p3_fault("dele-answered");
    if (s->stage != P3_STAGE_TAKING)
        return;
    mail->marked = result->status == POP3_OK;
    if (result->status == POP3_ERR_REFUSED) {
        p3_problem why;
        p3_problem_set(&why, EX_TEMPFAIL, "%s", pop3_client_error(s->client)->message);
        p3_session_tell(s, P3_NOTICE_FAILED, mail, NULL, &why);
    } else if (result->status != POP3_OK) {
        p3_session_lost(s, result->status);
    }
}

void p3_session_drop(p3_session *s, p3_mail *mail)
{
    if (s->stage != P3_STAGE_TAKING)
        return;
    s->dropping.done = dropped;
    if (p3_window_add(&s->dropping, (size_t)(mail - s->box.at)))
        p3_window_fill(&s->dropping);
}

void p3_session_take(p3_session *s)
{
    if (s->stage == P3_STAGE_OVER) {
        if (s->delivery != NULL)
            hand_in(s); /* what has come is not thrown away */
        return;
    }
    if (!s->taking_begun && s->commits == 0) {
        s->taking_begun = true; /* now that the intents are on the disk */
        p3_window_fill(&s->taking);
    }
    if (!s->taking_begun || !p3_window_done(&s->taking))
        return;
    hand_in(s);
    if (s->batches == 0 && p3_window_done(&s->dropping) && s->stage == P3_STAGE_TAKING)
        p3_session_finish(s);
}
