/* Batches of messages. */
#include "collect/batcher.h"

#include <errno.h>
#include <stdlib.h>

#include "collect/reply_order.h"
#include "deliver/parcel.h"
#include "support/clock.h"

/* A batch is handed in when it has this many messages or octets, or has been filling for this long;
 * and when the disk is idle and the batch is worthwhile. So the disk and the connection work at the
 * same time, in large steps on a fast line and in small ones on a slow line. */
#define P3_BATCH_MESSAGES 1000
#define P3_BATCH_OCTETS   ((uint64_t)64 * 1024 * 1024)
#define P3_BATCH_MS       2000
#define P3_IDLE_MESSAGES  64
#define P3_IDLE_OCTETS    ((uint64_t)16 * 1024 * 1024)

static void parcel_over(p3_batcher *b, const p3_commit *c, size_t i)
{
    const p3_parcel *p = &c->batch.parcels[i];
    p3_mail *mail = &b->drop->box.at[p->entry];
    if (c->problem.exit == 0 && p->delivered) {
        p3_report_delivered(b->drop->report, 1);
        *p3_maildrop_row(b->drop, mail) = c->changes.at[i].row;
        b->delivered(b->ctx, mail);
        if (p->problem != NULL)
            p3_report_refused(b->drop->report, mail, p->problem);
    } else if (p->problem != NULL) {
        p3_recorder_set_back(b->recorder, mail, true, p->problem);
    }
}

static void batch_over(p3_job *job)
{
    p3_commit *c = (p3_commit *)job;
    p3_batcher *b = c->owner;
    b->recorder->pending--;
    b->batches--;
    if (c->problem.exit != 0)
        p3_maildrop_failed(b->drop, &c->problem);
    for (size_t i = 0; i < c->batch.count; i++)
        parcel_over(b, c, i);
    if (b->delivery->class->recorded != NULL)
        b->delivery->class->recorded(b->delivery, &c->batch, c->problem.exit == 0);
    if (c->problem.exit == 0)
        p3_report_tell(b->drop->report, P3_NOTICE_DELIVERED, NULL, NULL, NULL);
    if (c->batch.noted.exit != 0)
        p3_maildrop_noted(b->drop, &c->batch.noted);
    if (c->batch.stopped.exit != 0)
        p3_maildrop_failed(b->drop, &c->batch.stopped);
    for (size_t i = 0; i < c->batch.count; i++)
        p3_parcel_clear(&c->batch.parcels[i]);
    free(c->batch.parcels);
    p3_changes_free(&c->changes);
    free(c);
    p3_maildrop_advance(b->drop);
}

static void deliver_slowly(p3_job *job)
{
    p3_batch *b = &((p3_commit *)job)->batch;
    b->to->class->deliver(b);
}

/* The row of a parcel's message. */
static p3_row *row_of(const p3_batcher *b, const p3_parcel *p)
{
    return p3_maildrop_row(b->drop, &b->drop->box.at[p->entry]);
}

/* Adds the row of a delivered message. */
static void add_delivered(const p3_batcher *b, p3_changes *changes, const p3_parcel *p)
{
    p3_row row = *row_of(b, p);
    bool proven = p3_reply_order_proves(b->drop, &b->drop->box.at[p->entry]);
    p3_look look = p3_listing_look(&b->drop->box, p->entry);
    bool again = look.since != 0 && p3_fingerprint_equal(&look.body, &p->kept);
    row.standing = proven ? P3_DELIVERED : P3_DOUBTED;
    row.body = p->kept;
    row.time = again ? look.since : b->drop->calendar.stamp;
    row.tries = 0; /* from now on it counts how often the message reappears */
    row.name = "";
    row.members = 0;
    p3_change *change = p3_changes_add(changes, &row);
    if (change != NULL)
        change->parcel = p;
}

/* For messages that only some targets of a list have, records which. */
static void note_members(const p3_batcher *b, p3_commit *c)
{
    for (size_t i = 0; i < c->batch.count; i++) {
        const p3_parcel *p = &c->batch.parcels[i];
        p3_row *row = row_of(b, p);
        if (p->delivered || p->members == row->members)
            continue;
        row->members = p->members;
        c->changes.at[i] = (p3_change){.row = *row};
    }
}

static void slowly_delivered(p3_job *job);

/* Starts the next slow delivery: one at a time, in the order of the messages. */
static void start_slow(p3_batcher *b)
{
    p3_commit *c = b->slow;
    if (b->slow_runs || c == NULL)
        return;
    b->slow = c->next;
    b->slow_runs = true;
    c->job = (p3_job){.run = deliver_slowly, .over = slowly_delivered};
    if (p3_jobs_start(b->jobs, &c->job))
        return;
    p3_problem_errno(&c->batch.problem, errno, "delivering");
    slowly_delivered(&c->job);
}

/* A slow delivery has ended: records its result. */
static void slowly_delivered(p3_job *job)
{
    p3_commit *c = (p3_commit *)job;
    p3_batcher *b = c->owner;
    note_members(b, c);
    c->problem = c->batch.problem;
    c->job = (p3_job){.over = batch_over};
    p3_committer_add(b->recorder->committer, c);
    b->slow_runs = false;
    start_slow(b);
}

static void deliver(p3_batcher *b, p3_commit *c)
{
    if (!b->delivery->class->slow) {
        c->job = (p3_job){.over = batch_over};
        p3_committer_add(b->recorder->committer, c);
        return;
    }
    p3_commit **end = &b->slow;
    while (*end != NULL)
        end = &(*end)->next;
    *end = c;
    start_slow(b);
}

/* The fingerprints of the messages are recorded, which identify them after a crash. */
static void prints_recorded(void *ctx, const p3_problem *problem)
{
    p3_commit *c = ctx;
    c->problem = *problem;
    if (problem->exit == 0)
        deliver(c->owner, c);
    else
        batch_over(&c->job);
}

/* If the target needs them, records fingerprints before the delivery. */
static void start_delivery(p3_batcher *b, p3_commit *c)
{
    const p3_batch *batch = &c->batch;
    p3_commit prints = {.reached = "prints-recorded"};
    b->recorder->pending++;
    b->batches++;
    if (!b->delivery->class->prints) {
        deliver(b, c);
        return;
    }
    for (size_t i = 0; i < batch->count; i++)
        (void)p3_changes_add(&prints.changes, row_of(b, &batch->parcels[i]));
    if (p3_recorder_add(b->recorder, prints, prints_recorded, c))
        return;
    p3_problem_memory(&c->problem);
    batch_over(&c->job);
}

/* Discards finished messages that have not been handed in. */
static void discard(p3_batcher *b, p3_parcel *parcels, size_t count)
{
    if (count > 0 && b->delivery->class->discard != NULL)
        b->delivery->class->discard(b->delivery, parcels, count);
    for (size_t i = 0; i < count; i++)
        p3_parcel_clear(&parcels[i]);
    p3_report_discarded(b->drop->report, count);
}

void p3_batcher_begin(p3_batcher *b, p3_delivery *delivery, size_t most)
{
    b->delivery = delivery;
    b->room = delivery->class->alone ? 1 : P3_BATCH_MESSAGES;
    if (most > 0 && most < b->room)
        b->room = most;
}

void p3_batcher_throw_away(p3_batcher *b)
{
    if (b->count > 0)
        discard(b, b->parcels, b->count);
    b->count = 0;
    b->octets = 0;
}

void p3_batcher_hand_in(p3_batcher *b)
{
    size_t count = b->count;
    if (count == 0)
        return;
    p3_commit *c = calloc(1, sizeof *c);
    p3_changes changes = {0};
    for (size_t i = 0; i < count; i++)
        add_delivered(b, &changes, &b->parcels[i]);
    if (c == NULL || changes.failed) {
        free(c);
        p3_changes_free(&changes);
        p3_batcher_throw_away(b);
        p3_maildrop_failed_memory(b->drop);
        return;
    }
    *c = (p3_commit){.owner = b,
                     .account = b->drop->known.id,
                     .batch = {.to = b->delivery, .parcels = b->parcels, .count = count},
                     .changes = changes,
                     .commit_failed = &b->recorder->commit_failed,
                     .reached = "delivered-recorded"};
    b->parcels = NULL;
    b->count = 0;
    b->octets = 0;
    if (b->delivery->class->seal != NULL)
        b->delivery->class->seal(b->delivery, &c->batch);
    start_delivery(b, c);
}

static bool is_full(const p3_batcher *b, bool at_once, bool hold)
{
    bool is_idle = b->batches == 0;
    bool is_late = !hold && p3_clock_ms() - b->since >= P3_BATCH_MS;
    if (is_idle && (at_once || b->count >= P3_IDLE_MESSAGES || b->octets >= P3_IDLE_OCTETS))
        return true;
    return b->delivery->class->alone || b->count == P3_BATCH_MESSAGES ||
           b->octets >= P3_BATCH_OCTETS || is_late;
}

void p3_batcher_hand_in_full(p3_batcher *b, bool at_once, bool hold)
{
    if (b->count > 0 && is_full(b, at_once, hold))
        p3_batcher_hand_in(b);
}

void p3_batcher_add(p3_batcher *b, const p3_parcel *parcel)
{
    if (b->parcels == NULL)
        b->parcels = calloc(b->room, sizeof *b->parcels);
    if (b->parcels == NULL) {
        p3_parcel lost = *parcel;
        discard(b, &lost, 1);
        p3_maildrop_failed_memory(b->drop);
        return;
    }
    if (b->count == 0)
        b->since = p3_clock_ms();
    b->parcels[b->count++] = *parcel;
    b->octets += parcel->octets;
}

bool p3_batcher_is_behind(const p3_batcher *b)
{
    return b->delivery != NULL && b->batches >= (b->delivery->class->alone ? 1u : 2u);
}

void p3_batcher_free(p3_batcher *b)
{
    free(b->parcels);
}
