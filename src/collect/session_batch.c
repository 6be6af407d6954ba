/* Batches of messages: collected, handed in to be delivered and recorded, and what came of them. */
#include "support/clock.h"
#include "collect/session.h"

#include <errno.h>
#include <stdlib.h>
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
        bool due = p3_session_due(s, &c->changes[i].row);
        s->more = s->more || (due && s->approach.frugal); /* that is another session's */
        if (due && !s->approach.frugal)
            p3_session_drop(s, mail);
        if (p->problem != NULL) /* it is elsewhere */
            p3_session_tell(s, P3_NOTICE_FAILED, mail, NULL, p->problem);
    } else if (p->problem != NULL) {
        p3_session_set_back(s, mail, p->problem);
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
    if (c->batch.stopped.exit != 0)
        p3_session_fail(s, &c->batch.stopped);
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
    change.row.time = s->calendar.stamp;
    change.row.tries = 0; /* from here on it counts how often the message has come back */
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

/* Throws finished messages away that have not been handed in. */
static void discard(p3_session *s, p3_parcel *parcels, size_t count)
{
    if (count > 0 && s->delivery->class->discard != NULL)
        s->delivery->class->discard(s->delivery, parcels, count);
    for (size_t i = 0; i < count; i++) {
        free(parcels[i].sender);
        if (parcels[i].fd >= 0)
            (void)close(parcels[i].fd);
    }
    s->tally.retrieved -= count;
}

void p3_session_throw_away(p3_session *s)
{
    discard(s, s->parcels, s->parcel_count);
    s->parcel_count = 0;
    s->parcel_octets = 0;
}

/* Hands the batch in. */
void p3_session_hand_in(p3_session *s)
{
    size_t count = s->parcel_count;
    if (count == 0)
        return;
    p3_handed_in *h = calloc(1, sizeof *h);
    p3_change *changes = calloc(count, sizeof *changes);
    if (h == NULL || changes == NULL) {
        free(h);
        free(changes);
        p3_session_throw_away(s);
        p3_session_fail_memory(s);
        return;
    }
    s->parcel_count = 0;
    s->parcel_octets = 0;
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
    if (s->approach.care == P3_CARE_STEPS && s->batches == 0)
        return true;
    if (s->batches == 0 &&
        (s->parcel_count >= P3_IDLE_MESSAGES || s->parcel_octets >= P3_IDLE_OCTETS))
        return true;
    /* What may be another message than it seems is not handed in for the time alone: it waits for
     * the session's end, which says more. */
    bool is_late = !s->odd && p3_clock_ms() - s->batch_since >= P3_BATCH_MS;
    return s->delivery->class->alone || s->parcel_count == P3_BATCH_MESSAGES ||
           s->parcel_octets >= P3_BATCH_OCTETS || is_late;
}

void p3_session_add_parcel(p3_session *s, const p3_parcel *parcel)
{
    if (s->parcels == NULL) {
        size_t cap = s->delivery->class->alone ? 1 : P3_BATCH_MESSAGES;
        if (s->taking.count > 0 && s->taking.count < cap)
            cap = s->taking.count;
        s->parcels = calloc(cap, sizeof *s->parcels);
        if (s->parcels == NULL) {
            p3_parcel lost = *parcel;
            discard(s, &lost, 1);
            p3_session_fail_memory(s);
            return;
        }
    }
    if (s->parcel_count == 0)
        s->batch_since = p3_clock_ms();
    s->parcels[s->parcel_count++] = *parcel;
    s->parcel_octets += parcel->octets;
}

void p3_session_hand_in_full(p3_session *s)
{
    if (s->parcel_count > 0 && batch_is_full(s))
        p3_session_hand_in(s);
}
