/* Delivers to a target of the caller.
 *
 * deliver() runs in the committer's thread while the other one continues with the next messages: a
 * mutex ensures that the caller's functions run one at a time. A message's pointer is in the parcel
 * (`own`) from finish() until it has ended. */
#include "public/callbacks.h"

#include <pthread.h>
#include <stdlib.h>

#include "public/error.h"
#include "support/crash_point.h"

/* Messages that are committed with one call, at most. */
#define P3_COMMIT_MOST 1000

typedef struct p3_callbacks {
    p3_delivery base;
    const pop3_target *target;
    pthread_mutex_t mutex;
    bool in_hand; /* a message has been begun: */
    void *message;
    const char *name;
    uint64_t octets;                  /* written to it */
    void *committing[P3_COMMIT_MOST]; /* deliver()'s own */
} p3_callbacks;

static void enter_callback(p3_callbacks *c)
{
    (void)pthread_mutex_lock(&c->mutex);
}

static void leave_callback(p3_callbacks *c)
{
    (void)pthread_mutex_unlock(&c->mutex);
}

static void abort_message(p3_callbacks *c, void *message)
{
    enter_callback(c);
    c->target->abort(c->target->ctx, message);
    leave_callback(c);
}

static bool callbacks_begin(p3_delivery *d, const char *name, const char *sender, p3_problem *why)
{
    p3_callbacks *c = (p3_callbacks *)d;
    pop3_collect_error error = {0};
    (void)sender;
    c->message = NULL;
    c->octets = 0;
    c->name = name;
    p3_crash_point("target-begin");
    enter_callback(c);
    pop3_collect_status status = c->target->begin(c->target->ctx, name, &c->message, &error);
    leave_callback(c);
    c->in_hand = status == POP3_COLLECT_OK;
    return c->in_hand || p3_collect_problem(why, status, &error, "beginning a message");
}

static bool callbacks_write(p3_delivery *d, const char *data, size_t len, p3_problem *why)
{
    p3_callbacks *c = (p3_callbacks *)d;
    pop3_collect_error error = {0};
    p3_crash_point("target-write");
    enter_callback(c);
    pop3_collect_status status = c->target->write(c->target->ctx, c->message, data, len, &error);
    leave_callback(c);
    c->octets += len;
    return status == POP3_COLLECT_OK ||
           p3_collect_problem(why, status, &error, "writing a message");
}

static bool callbacks_finish(p3_delivery *d, p3_parcel *out, p3_problem *why)
{
    p3_callbacks *c = (p3_callbacks *)d;
    pop3_collect_error error = {0};
    pop3_collect_status status = POP3_COLLECT_OK;
    enter_callback(c);
    if (c->target->finish != NULL)
        status = c->target->finish(c->target->ctx, c->message, &error);
    leave_callback(c);
    if (status != POP3_COLLECT_OK)
        return p3_collect_problem(why, status, &error, "ending a message");
    out->name = c->name;
    out->octets = c->octets;
    out->own = c->message;
    c->in_hand = false; /* it is the batch's from here on */
    p3_crash_point("target-finished");
    return true;
}

static void callbacks_abandon(p3_delivery *d)
{
    p3_callbacks *c = (p3_callbacks *)d;
    if (c->in_hand)
        abort_message(c, c->message);
    c->in_hand = false;
}

static void callbacks_discard(p3_delivery *d, const p3_parcel *parcels, size_t count)
{
    for (size_t i = 0; i < count; i++)
        abort_message((p3_callbacks *)d, parcels[i].own);
}

/* Commits parcels from the first-th on, as many as go at once. Returns how many. */
static size_t commit_some(p3_callbacks *c, p3_batch *b, size_t first)
{
    pop3_collect_error error = {0};
    size_t count = b->count - first < P3_COMMIT_MOST ? b->count - first : P3_COMMIT_MOST;
    for (size_t i = 0; i < count; i++) {
        c->committing[i] = b->parcels[first + i].own;
        b->parcels[first + i].ended = true;
    }
    p3_crash_point("before-commit");
    enter_callback(c);
    pop3_collect_status status = c->target->commit(c->target->ctx, c->committing, count, &error);
    leave_callback(c);
    p3_crash_point("committed");
    for (size_t i = 0; i < count; i++)
        b->parcels[first + i].delivered = status == POP3_COLLECT_OK;
    if (status != POP3_COLLECT_OK)
        (void)p3_collect_problem(&b->problem, status, &error, "delivering");
    return count;
}

static void callbacks_deliver(p3_batch *b)
{
    size_t done = 0;
    while (done < b->count && b->problem.exit == 0)
        done += commit_some((p3_callbacks *)b->to, b, done);
}

/* Ends what an earlier failure kept from being committed. */
static void callbacks_recorded(p3_delivery *d, p3_batch *batch, bool kept)
{
    (void)kept;
    for (size_t i = 0; batch != NULL && i < batch->count; i++) {
        if (!batch->parcels[i].ended)
            abort_message((p3_callbacks *)d, batch->parcels[i].own);
    }
}

static bool callbacks_settle(p3_delivery *d, p3_left_over *at, size_t count, p3_problem *why)
{
    p3_callbacks *c = (p3_callbacks *)d;
    for (size_t i = 0; i < count && c->target->find != NULL; i++) {
        pop3_collect_error error = {0};
        enter_callback(c);
        pop3_collect_status status =
            c->target->find(c->target->ctx, at[i].name, &at[i].there, &error);
        leave_callback(c);
        if (status != POP3_COLLECT_OK)
            return p3_collect_problem(why, status, &error, "finding a message");
    }
    return true;
}

static void callbacks_close(p3_delivery *d)
{
    p3_callbacks *c = (p3_callbacks *)d;
    callbacks_abandon(d);
    (void)pthread_mutex_destroy(&c->mutex);
    free(c);
}

static const p3_delivery_class callbacks_class = {
    .prints = true,
    .begin = callbacks_begin,
    .write = callbacks_write,
    .finish = callbacks_finish,
    .abandon = callbacks_abandon,
    .discard = callbacks_discard,
    .deliver = callbacks_deliver,
    .recorded = callbacks_recorded,
    .settle = callbacks_settle,
    .close = callbacks_close,
};

p3_delivery *p3_callbacks_open(const char *id, const p3_envelope *envelope, p3_problem *why)
{
    p3_callbacks *c = envelope != NULL ? calloc(1, sizeof *c) : NULL;
    (void)id;
    if (c == NULL || pthread_mutex_init(&c->mutex, NULL) != 0) {
        free(c);
        p3_problem_memory(why);
        return NULL;
    }
    c->base.class = &callbacks_class;
    c->target = envelope->callbacks;
    return &c->base;
}
