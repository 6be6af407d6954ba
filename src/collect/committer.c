/* The thread that waits for the disk. */
#include "collect/committer.h"
#include "support/fault.h"
#include "system/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <sysexits.h>

struct p3_committer {
    p3_jobs *jobs;
    const char *path;
    p3_state *state; /* the thread's own; NULL: not opened, see `why` */
    p3_problem why;  /* why not */
    bool started;    /* only used by who hands in */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    p3_commit *first; /* handed in and not taken yet */
    p3_commit **last;
    bool ending;
    p3_batch **batches; /* room for the batches of one round */
    size_t cap;
};

p3_change *p3_changes_add(p3_changes *c, const p3_row *row)
{
    p3_change *at = p3_grow(c->at, &c->room, c->count + 1, sizeof *at);
    c->failed = c->failed || at == NULL;
    if (at == NULL)
        return NULL;
    c->at = at;
    at[c->count] = (p3_change){.row = *row};
    return &at[c->count++];
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

/* Records a list of commits in one transaction: either all of it is recorded, or nothing. */
static void record(p3_state *s, p3_commit *list)
{
    p3_problem why = {0};
    if (list == NULL)
        return;
    bool ok = p3_state_begin(s, &why);
    for (p3_commit *c = list; c != NULL && ok; c = c->next) {
        if (c->problem.exit == 0)
            ok = record_one(s, c, &why);
    }
    ok = ok && p3_state_commit(s, &why);
    for (p3_commit *c = list; c != NULL; c = c->next) {
        if (!ok && c->problem.exit == 0)
            c->problem = why;
        if (c->problem.exit != 0)
            *c->poisoned = true;
        if (ok && c->reached != NULL)
            p3_fault(c->reached);
    }
}

/* Delivers the batches of a list, those of one class together. */
static void deliver(p3_committer *k, p3_commit *list)
{
    size_t total = 0;
    for (p3_commit *c = list; c != NULL; c = c->next)
        total++;
    if (total > k->cap) {
        p3_batch **more = realloc(k->batches, total * sizeof(p3_batch *));
        if (more != NULL) {
            k->batches = more;
            k->cap = total;
        }
    }
    p3_commit *c = list;
    while (c != NULL) {
        const p3_delivery_class *class = c->batch.to->class;
        size_t n = 0;
        for (; c != NULL && c->batch.to->class == class && n < k->cap; c = c->next) {
            if (*c->poisoned)
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
    for (c = list; c != NULL; c = c->next)
        c->problem = c->batch.problem;
}

/* One round. Intents come first: they must be on the disk before anything is delivered. An account
 * never hands in a plain change while a batch of its own is under way. */
static void work_off(p3_committer *k, p3_commit *list)
{
    p3_commit *plain = NULL;
    p3_commit **plain_end = &plain;
    p3_commit *parcels = NULL;
    p3_commit **parcels_end = &parcels;
    while (list != NULL) {
        p3_commit *next = list->next;
        bool has_batch = list->batch.count > 0 && !list->batch.to->class->slow;
        p3_commit ***end = has_batch ? &parcels_end : &plain_end;
        list->next = NULL;
        **end = list;
        *end = &list->next;
        list = next;
    }
    record(k->state, plain);
    if (parcels != NULL)
        deliver(k, parcels);
    record(k->state, parcels);
    *plain_end = parcels;
    for (p3_commit *c = plain; c != NULL;) {
        p3_commit *next = c->next; /* the account may free it */
        p3_jobs_post(k->jobs, &c->job);
        c = next;
    }
}

static void refuse(p3_committer *k, p3_commit *c, const p3_problem *why)
{
    c->problem = *why;
    *c->poisoned = true;
    p3_jobs_post(k->jobs, &c->job);
}

static void refuse_all(p3_committer *k, p3_commit *list)
{
    while (list != NULL) {
        p3_commit *next = list->next; /* the account may free it */
        refuse(k, list, &k->why);
        list = next;
    }
}

static void *run(void *arg)
{
    p3_committer *k = arg;
    k->state = p3_state_open(k->path, &k->why);
    pthread_mutex_lock(&k->mutex);
    for (;;) {
        while (k->first == NULL && !k->ending)
            pthread_cond_wait(&k->changed, &k->mutex);
        if (k->first == NULL)
            break;
        p3_commit *list = k->first;
        k->first = NULL;
        k->last = &k->first;
        pthread_mutex_unlock(&k->mutex);
        if (k->state != NULL)
            work_off(k, list);
        else
            refuse_all(k, list);
        pthread_mutex_lock(&k->mutex);
    }
    pthread_mutex_unlock(&k->mutex);
    return NULL;
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
    k->cap = 1;
    pthread_mutex_init(&k->mutex, NULL);
    pthread_cond_init(&k->changed, NULL);
    return k;
}

void p3_committer_add(p3_committer *k, p3_commit *commit)
{
    if (!k->started) {
        int error = p3_thread_start(&k->thread, run, k);
        k->started = error == 0;
        if (error != 0) {
            p3_problem why;
            p3_problem_errno(&why, error, "beginning to write: no thread for the disk");
            refuse(k, commit, &why);
            return;
        }
    }
    pthread_mutex_lock(&k->mutex);
    commit->next = NULL;
    *k->last = commit;
    k->last = &commit->next;
    pthread_cond_signal(&k->changed);
    pthread_mutex_unlock(&k->mutex);
}

void p3_committer_free(p3_committer *k)
{
    if (k == NULL)
        return;
    pthread_mutex_lock(&k->mutex);
    k->ending = true;
    pthread_cond_signal(&k->changed);
    pthread_mutex_unlock(&k->mutex);
    if (k->started)
        pthread_join(k->thread, NULL);
    pthread_cond_destroy(&k->changed);
    pthread_mutex_destroy(&k->mutex);
    p3_state_close(k->state);
    free(k->batches);
    free(k);
}
