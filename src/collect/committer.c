/* The committer's thread and its rounds. */
#include "collect/committer.h"
#include "support/crash_point.h"

#include <errno.h>
#include <stdlib.h>
#include <sysexits.h>

struct p3_committer {
    p3_job job; /* a round; its first member */
    p3_jobs *jobs;
    const char *path;
    p3_commit *round; /* the current round; NULL: none */
    p3_commit *first; /* handed in for the next round */
    p3_commit **last;
    /* Of the current round: */
    p3_state *state;    /* NULL: not open, see `why` */
    p3_problem why;     /* why it is not open; or nothing, before the first round */
    p3_batch **batches; /* batches of one class */
    p3_room room;
};

p3_change *p3_changes_add(p3_changes *c, const p3_row *row)
{
    if (!p3_grow(&c->at, &c->room, c->count + 1, sizeof *c->at)) {
        c->failed = true;
        return NULL;
    }
    c->at[c->count] = (p3_change){.row = *row};
    return &c->at[c->count++];
}

void p3_changes_free(p3_changes *c)
{
    free(c->at);
    *c = (p3_changes){0};
}

static bool record_target(p3_state *s, int64_t account, const p3_target *target, p3_problem *why)
{
    char *text = p3_target_text(target);
    bool ok = p3_state_set_target(s, account, text, why);
    if (text == NULL)
        p3_problem_memory(why);
    free(text);
    return ok;
}

static bool record_one(p3_state *s, const p3_commit *c, p3_problem *why)
{
    if (c->target != NULL && !record_target(s, c->account, c->target, why))
        return false;
    if (c->seen.last != 0 && !p3_state_see(s, c->account, c->seen, why))
        return false;
    if (!pop3_server_traits_empty(c->learned) && !p3_state_learn(s, c->account, c->learned, why))
        return false;
    for (size_t i = 0; i < c->changes.count; i++) {
        const p3_change *change = &c->changes.at[i];
        if (change->parcel != NULL && !change->parcel->delivered)
            continue;
        bool ok = change->forget ? p3_state_forget(s, c->account, change->row.id, why)
                                 : p3_state_put(s, c->account, &change->row, why);
        if (!ok)
            return false;
    }
    return true;
}

/* Whether it must be delivered here before it is recorded. */
static bool has_batch(const p3_commit *c)
{
    return c->batch.count > 0 && !c->batch.to->class->slow;
}

/* The first commit from this one on with, or without, a batch. */
static p3_commit *first_of(p3_commit *c, bool with_batch)
{
    while (c != NULL && has_batch(c) != with_batch)
        c = c->next;
    return c;
}

/* Records commits in one transaction: either all or none. */
static void record(p3_state *s, p3_commit *list, bool with_batch)
{
    p3_problem why = {0};
    p3_commit *first = first_of(list, with_batch);
    if (first == NULL)
        return;
    bool ok = p3_state_begin(s, &why);
    for (p3_commit *c = first; c != NULL && ok; c = first_of(c->next, with_batch)) {
        if (c->problem.exit == 0)
            ok = record_one(s, c, &why);
    }
    ok = ok && p3_state_commit(s, &why);
    for (p3_commit *c = first; c != NULL; c = first_of(c->next, with_batch)) {
        if (!ok && c->problem.exit == 0)
            c->problem = why;
        if (c->problem.exit != 0)
            *c->commit_failed = true;
        if (ok && c->reached != NULL)
            p3_crash_point(c->reached);
    }
}

/* Delivers the batches of a list, those of one class together. */
static void deliver(p3_committer *k, p3_commit *list)
{
    p3_commit *c = first_of(list, true);
    while (c != NULL) {
        const p3_delivery_class *class = c->batch.to->class;
        size_t n = 0;
        /* when out of memory, fewer are delivered together */
        for (; c != NULL && c->batch.to->class == class &&
               (p3_grow(&k->batches, &k->room, n + 1, sizeof *k->batches) || n == 0);
             c = first_of(c->next, true)) {
            if (*c->commit_failed)
                p3_problem_set(&c->batch.problem, EX_TEMPFAIL,
                               "delivering: an earlier step failed");
            else
                k->batches[n++] = &c->batch;
        }
        if (n > 0 && class->deliver_all != NULL)
            class->deliver_all(k->batches, n);
        for (size_t i = 0; i < n && class->deliver_all == NULL; i++)
            class->deliver(k->batches[i]);
    }
    for (c = first_of(list, true); c != NULL; c = first_of(c->next, true))
        c->problem = c->batch.problem;
}

/* Nothing of a round is recorded. */
static void refuse_round(p3_commit *round, const p3_problem *why)
{
    for (p3_commit *c = round; c != NULL; c = c->next) {
        c->problem = *why;
        *c->commit_failed = true;
    }
}

/* One round. Intents come first: they must be on the disk before anything is delivered. An account
 * never hands in other changes while one of its batches is pending. */
static void work_off(p3_job *job)
{
    p3_committer *k = (p3_committer *)job;
    if (k->state == NULL && k->why.exit == 0)
        k->state = p3_state_open(k->path, &k->why);
    if (k->state == NULL) {
        refuse_round(k->round, &k->why);
        return;
    }
    record(k->state, k->round, false);
    deliver(k, k->round);
    record(k->state, k->round, true);
}

static void begin_round(p3_committer *k);

static void round_over(p3_job *job)
{
    p3_committer *k = (p3_committer *)job;
    for (p3_commit *c = k->round; c != NULL;) {
        p3_commit *next = c->next; /* the account may free it */
        c->job.over(&c->job);
        c = next;
    }
    k->round = NULL;
    if (k->first != NULL)
        begin_round(k);
}

static void begin_round(p3_committer *k)
{
    k->round = k->first;
    k->first = NULL;
    k->last = &k->first;
    k->job = (p3_job){.run = work_off, .over = round_over};
    if (p3_jobs_start(k->jobs, &k->job))
        return;
    p3_problem why;
    p3_problem_errno(&why, errno, "beginning to write: no thread for the disk");
    refuse_round(k->round, &why);
    p3_jobs_post(k->jobs, &k->job);
}

p3_committer *p3_committer_new(p3_jobs *jobs, const char *path)
{
    p3_committer *k = calloc(1, sizeof *k);
    if (k == NULL || (k->batches = calloc(1, sizeof(p3_batch *))) == NULL) {
        free(k);
        return NULL;
    }
    k->jobs = jobs;
    k->path = path;
    k->last = &k->first;
    return k;
}

void p3_committer_add(p3_committer *k, p3_commit *commit)
{
    commit->next = NULL;
    *k->last = commit;
    k->last = &commit->next;
    if (k->round == NULL)
        begin_round(k);
}

void p3_committer_free(p3_committer *k)
{
    if (k == NULL)
        return;
    p3_state_close(k->state);
    free(k->batches);
    free(k);
}
