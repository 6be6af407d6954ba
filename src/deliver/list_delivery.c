/* Delivers to a list of targets, each with a share of a batch. */
#include "deliver/list_delivery.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "deliver/folders.h"
#include "deliver/parcel.h"
#include "deliver/shares.h"
#include "support/crash_point.h"

/* A target of the list. */
typedef struct p3_taker {
    const p3_target *target;
    p3_members bit;
    p3_part *part; /* its delivery is NULL if it could not be opened */
    bool adds_cr;  /* it needs CRLF, and others get LF */
    /* Under the mutex: */
    bool is_down; /* it gets nothing more in this run */
    bool is_told;
    p3_problem why;
} p3_taker;

typedef struct p3_list_delivery {
    p3_shares shares;        /* must be first */
    p3_delivery_class class; /* adapted to these targets */
    pthread_mutex_t mutex;   /* batches are delivered while others are written */
    p3_members all;
    p3_members members; /* those that already have the current message */
    p3_members barred;  /* those that must not get it now */
    p3_taker at[];      /* targets that can be asked come first: less is repeated after a crash */
} p3_list_delivery;

/* ---- targets that fail ---- */

static void leave_out(p3_list_delivery *m, p3_taker *t, const p3_problem *why)
{
    pthread_mutex_lock(&m->mutex);
    if (!t->is_down)
        t->why = *why;
    t->is_down = true;
    pthread_mutex_unlock(&m->mutex);
}

/* Whether a target is left out, with its problem. */
static bool is_left_out(p3_list_delivery *m, const p3_taker *t, p3_problem *why)
{
    pthread_mutex_lock(&m->mutex);
    bool down = t->is_down;
    if (down)
        *why = t->why;
    pthread_mutex_unlock(&m->mutex);
    return down;
}

/* Whether a message that some targets have can go to this one now. */
static bool may_take(p3_list_delivery *m, const p3_taker *t, p3_problem *why)
{
    return ((m->members | m->barred) & t->bit) == 0 && !is_left_out(m, t, why);
}

/* ---- writing a message ---- */

static bool list_spare(p3_delivery *d, uint16_t members, uint16_t barred)
{
    p3_list_delivery *m = (p3_list_delivery *)d;
    p3_problem unused;
    bool any = false;
    m->members = members;
    m->barred = barred;
    for (p3_taker *t = m->at; t < m->at + m->shares.count && !any; t++)
        any = may_take(m, t, &unused);
    return any;
}

/* A target fails at the current message, which is a problem of the message or of the target. */
static bool drop_one(p3_shares *s, size_t place, const p3_problem *why)
{
    p3_list_delivery *m = (p3_list_delivery *)s;
    p3_shares_skip(s, place);
    if (why->error != EFBIG)
        leave_out(m, &m->at[place], why);
    else
        (void)p3_shares_note_own(s, why);
    return true; /* the others continue */
}

static void list_address(p3_delivery *d, const char *header, size_t len, const char *left)
{
    p3_list_delivery *m = (p3_list_delivery *)d;
    for (p3_taker *t = m->at; t < m->at + m->shares.count; t++) {
        if (t->part->delivery != NULL && t->part->delivery->class->address != NULL)
            t->part->delivery->class->address(t->part->delivery, header, len, left);
    }
}

static bool list_begin(p3_delivery *d, const char *name, const char *sender, p3_problem *why)
{
    p3_list_delivery *m = (p3_list_delivery *)d;
    p3_problem one = {0};
    p3_problem_set(why, EX_TEMPFAIL, "delivering: no target takes it in this run");
    for (size_t i = 0; i < m->shares.count; i++) {
        if (!p3_shares_make_room(&m->shares, i))
            return p3_problem_memory(why);
    }
    m->shares.name = name;
    for (p3_taker *t = m->at; t < m->at + m->shares.count; t++) {
        t->part->in_hand = may_take(m, t, &one);
        if (t->part->in_hand &&
            !t->part->delivery->class->begin(t->part->delivery, name, sender, &one))
            (void)drop_one(&m->shares, (size_t)(t - m->at), &one);
        if (!t->part->in_hand && one.exit != 0)
            *why = one;
    }
    return p3_shares_any_in_hand(&m->shares);
}

/* Writes with a CR in front of each LF. */
static bool write_crlf(p3_delivery *d, const char *data, size_t len, p3_problem *why)
{
    char piece[8192];
    size_t used = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < len; i++) {
        if (data[i] == '\n')
            piece[used++] = '\r';
        piece[used++] = data[i];
        if (used + 2 > sizeof piece) {
            ok = d->class->write(d, piece, used, why);
            used = 0;
        }
    }
    return ok && (used == 0 || d->class->write(d, piece, used, why));
}

static bool list_write(p3_delivery *d, const char *data, size_t len, p3_problem *why)
{
    p3_list_delivery *m = (p3_list_delivery *)d;
    for (p3_taker *t = m->at; t < m->at + m->shares.count; t++) {
        if (t->part->in_hand &&
            !(t->adds_cr ? write_crlf(t->part->delivery, data, len, why)
                         : t->part->delivery->class->write(t->part->delivery, data, len, why)))
            (void)drop_one(&m->shares, (size_t)(t - m->at), why);
    }
    return p3_shares_any_in_hand(&m->shares);
}

static bool list_finish(p3_delivery *d, p3_parcel *out, p3_problem *why)
{
    p3_list_delivery *m = (p3_list_delivery *)d;
    out->members = m->members;
    m->members = m->barred = 0;
    return p3_shares_finish(&m->shares, out, 1, drop_one, why);
}

/* ---- delivering ---- */

/* Adds a problem that is reported while the run continues. */
static void tell_also(p3_batch *batch, const p3_problem *why)
{
    p3_problem before = batch->noted;
    if (before.exit == 0)
        batch->noted = *why;
    else if (why->exit != 0)
        p3_problem_set(&batch->noted, p3_exit_of_both(before.exit, why->exit), "%.370s; %.370s",
                       before.text, why->text);
}

/* Delivers a target's share, and records which messages it has. */
static void deliver_share(p3_list_delivery *m, p3_taker *t, p3_share *share, p3_batch *batch)
{
    const p3_batch *b = &share->batch;
    if (b->count == 0)
        return;
    p3_share_deliver(share, batch);
    p3_crash_point("share-delivered");
    for (size_t k = 0; k < b->count; k++) {
        p3_parcel *p = &batch->parcels[b->parcels[k].entry];
        if (b->problem.exit == 0 && b->parcels[k].delivered)
            p->members |= t->bit;
        p3_parcel_add_problem(p, &b->parcels[k].problem);
    }
    tell_also(batch, &b->noted);
    if (b->problem.exit != 0)
        leave_out(m, t, &b->problem);
    else if (b->stopped.exit != 0)
        leave_out(m, t, &b->stopped);
}

/* Reports targets that are left out from now on: if all are, the run stops. */
static void tell_left_out(p3_list_delivery *m, p3_batch *batch)
{
    size_t down = 0;
    pthread_mutex_lock(&m->mutex);
    for (p3_taker *t = m->at; t < m->at + m->shares.count; t++) {
        down += t->is_down;
        if (!t->is_down || t->is_told)
            continue;
        t->is_told = true;
        tell_also(batch, &t->why);
    }
    pthread_mutex_unlock(&m->mutex);
    if (down == m->shares.count && batch->noted.exit != 0)
        batch->stopped = batch->noted;
}

static void list_deliver(p3_batch *b)
{
    p3_list_delivery *m = (p3_list_delivery *)b->to;
    p3_share *shares = b->spool;
    for (size_t k = 0; k < m->shares.count && shares != NULL; k++)
        deliver_share(m, &m->at[k], &shares[k], b);
    for (size_t k = 0; k < b->count; k++)
        b->parcels[k].delivered = (b->parcels[k].members & m->all) == m->all;
    tell_left_out(m, b);
}

static void list_recorded(p3_delivery *d, p3_batch *batch, bool kept)
{
    p3_list_delivery *m = (p3_list_delivery *)d;
    p3_share *shares = batch != NULL ? batch->spool : NULL;
    for (size_t i = 0; i < m->shares.count; i++) {
        p3_delivery *to = m->shares.parts[i].delivery;
        p3_batch *share = shares != NULL ? &shares[i].batch : NULL;
        if (to == NULL || to->class->recorded == NULL || (batch != NULL && share == NULL))
            continue;
        if (share == NULL)
            to->class->recorded(to, NULL, kept);
        else if (share->count > 0) /* messages that were not tried are not there */
            to->class->recorded(to, share,
                                !shares[i].is_tried || (kept && share->problem.exit == 0));
    }
    p3_shares_free(&m->shares, shares);
}

/* ---- after a crash ---- */

static void bar(p3_left_over *at, size_t count, p3_members bit)
{
    for (size_t i = 0; i < count; i++)
        at[i].unasked |= (uint16_t)(~at[i].members & bit);
}

/* Asks one target about messages that it is not known to have. Their names may be of any run. */
static bool ask_one(const p3_taker *t, p3_left_over *at, size_t count, p3_left_over *some,
                    p3_problem *why)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if ((at[i].members & t->bit) == 0)
            some[n++] = (p3_left_over){.name = at[i].name, .row = i, .any_time = true};
    }
    if (t->part->delivery == NULL) {
        *why = t->why;
        return false;
    }
    /* Also without any: it cleans up. */
    bool ok = p3_delivery_settle(t->part->delivery, some, n, why);
    for (size_t i = 0; ok && i < n; i++) {
        if (some[i].there)
            at[some[i].row].members |= t->bit;
    }
    return ok;
}

static bool list_settle(p3_delivery *d, p3_left_over *at, size_t count, p3_problem *why)
{
    p3_list_delivery *m = (p3_list_delivery *)d;
    p3_left_over *some = calloc(count + 1, sizeof *some);
    if (some == NULL)
        return p3_problem_memory(why);
    for (p3_taker *t = m->at; t < m->at + m->shares.count; t++) {
        p3_problem one = {0};
        if (ask_one(t, at, count, some, &one))
            continue;
        bar(at, count, t->bit);
        if (why->exit == 0)
            *why = one;
    }
    free(some);
    for (size_t i = 0; i < count; i++)
        at[i].there = (at[i].members & m->all) == m->all;
    return true;
}

static void list_inherit(p3_delivery *d, p3_delivery *settled)
{
    p3_list_delivery *m = (p3_list_delivery *)d;
    const p3_list_delivery *from = (const p3_list_delivery *)settled;
    for (size_t i = 0; i < m->shares.count && m->shares.count == from->shares.count; i++) {
        p3_delivery *to = m->shares.parts[i].delivery;
        p3_delivery *other = from->shares.parts[i].delivery;
        if (to != NULL && other != NULL && to->class == other->class && to->class->inherit != NULL)
            to->class->inherit(to, other);
    }
}

/* ---- opening and closing ---- */

static void list_close(p3_delivery *d)
{
    p3_list_delivery *m = (p3_list_delivery *)d;
    p3_shares_close(&m->shares);
    pthread_mutex_destroy(&m->mutex);
    free(m);
}

static const p3_delivery_class list_class = {
    .slow = true,
    .prints = true,
    .spare = list_spare,
    .address = list_address,
    .begin = list_begin,
    .write = list_write,
    .finish = list_finish,
    .abandon = p3_shares_abandon,
    .discard = p3_shares_discard,
    .seal = p3_shares_seal,
    .deliver = list_deliver,
    .recorded = list_recorded,
    .settle = list_settle,
    .inherit = list_inherit,
    .close = list_close,
};

/* Opens one, or leaves it out. */
static bool open_one(p3_list_delivery *m, const p3_target *target, bool crlf, p3_owner owner)
{
    const p3_target_row *row = p3_target_row_of(target->kind);
    p3_taker *t = &m->at[m->shares.count];
    *t = (p3_taker){.target = target,
                    .part = &m->shares.parts[m->shares.count++],
                    .bit = P3_MEMBER(target->kind),
                    .adds_cr = row != NULL && row->crlf && !crlf};
    m->all |= t->bit;
    t->part->delivery = p3_folders_open(target, owner, &t->why);
    t->is_down = t->part->delivery == NULL;
    if (t->part->delivery == NULL)
        return false;
    m->class.alone = m->class.alone || t->part->delivery->class->alone;
    return true;
}

p3_delivery *p3_list_delivery_open(const p3_target *t, p3_owner owner, p3_problem *why)
{
    size_t count;
    bool any = false;
    const p3_target *at = p3_target_members(t, &count);
    if (t->kind != P3_TARGET_SEVERAL)
        return p3_folders_open(t, owner, why);
    p3_list_delivery *m = calloc(1, sizeof *m + count * sizeof *m->at);
    if (m == NULL) {
        (void)p3_problem_memory(why);
        return NULL;
    }
    m->class = list_class;
    m->shares.base = (p3_delivery){.class = &m->class, .owner = owner};
    pthread_mutex_init(&m->mutex, NULL);
    for (size_t i = 0; i < 2 * count; i++) {
        const p3_target *one = &at[i % count];
        const p3_target_row *row = p3_target_row_of(one->kind);
        if ((row != NULL && row->is_exact) == (i < count))
            any = open_one(m, one, t->list->crlf, owner) || any;
    }
    if (any)
        return &m->shares.base;
    *why = m->at[0].why;
    list_close(&m->shares.base);
    return NULL;
}
