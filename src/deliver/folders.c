/* Delivers to folders of one target, each with a share of a batch. */
#include "deliver/folders.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "deliver/parcel.h"
#include "deliver/shares.h"
#include "deliver/recipients.h"
#include "support/crash_point.h"
#include "support/grow.h"

/* A folder. */
typedef struct p3_folder {
    p3_target target; /* its `where` belongs to us */
    p3_part *part;
    p3_problem shut; /* why it is unknown what it has, so that it gets nothing; or none */
} p3_folder;

/* A message of an earlier run that a folder has. */
typedef struct p3_had {
    char *name;
    size_t place;
} p3_had;

typedef struct p3_folders {
    p3_shares shares; /* must be first */
    const p3_recipients *map;
    p3_folder *at;                        /* the target's own folder is the first */
    size_t place_of[P3_FOLDERS_MOST + 1]; /* by the number in the table */
    size_t to[P3_RECIPIENTS_MOST];        /* those of the next message */
    size_t to_count;
    p3_had *had; /* sorted */
    size_t had_count;
    p3_room had_room;
} p3_folders;

/* ---- folders ---- */

/* Opens a folder, unless it is open. */
static bool open_place(p3_folders *m, size_t i, p3_problem *why)
{
    p3_folder *p = &m->at[i];
    if (p->part->delivery != NULL)
        return true;
    p->part->delivery = p3_target_open(&p->target, m->shares.base.owner, why);
    if (p->part->delivery == NULL)
        return false;
    p->part->delivery->among_folders = true;
    if (i > 0 && p->part->delivery->class->join != NULL)
        p->part->delivery->class->join(p->part->delivery, m->shares.parts[0].delivery);
    return true;
}

/* Whether a failure affects only that folder: there is an obstacle, or the server refuses access to
 * it. */
static bool is_of_folder(size_t place, const p3_problem *why)
{
    return place > 0 && (why->exit == EX_CANTCREAT || why->of_folder);
}

static int compare_had(const void *x, const void *y)
{
    const p3_had *a = x;
    const p3_had *b = y;
    int order = strcmp(a->name, b->name);
    return order != 0 ? order : (a->place > b->place) - (a->place < b->place);
}

static bool has(const p3_folders *m, size_t place, const char *name)
{
    const p3_had key = {(char *)(uintptr_t)name, place};
    return m->had_count > 0 &&
           bsearch(&key, m->had, m->had_count, sizeof *m->had, compare_had) != NULL;
}

/* ---- writing a message ---- */

static void folders_address(p3_delivery *d, const char *header, size_t len, const char *left)
{
    p3_folders *m = (p3_folders *)d;
    (void)left;
    m->to_count = p3_recipients_folders(m->map, header, len, m->to);
}

/* The current message fails in a folder. False when the folder is the reason. */
static bool drop_one(p3_shares *s, size_t place, const p3_problem *why)
{
    p3_shares_skip(s, place);
    return is_of_folder(place, why) && p3_shares_note_own(s, why);
}

/* Whether the current message already goes to this folder under another name, such as a link. */
static bool goes_there(const p3_folders *m, size_t place)
{
    bool found = false;
    for (size_t i = 0; i < m->shares.count && !found; i++)
        found = m->shares.parts[i].in_hand &&
                p3_target_is_same_place(&m->at[i].target, &m->at[place].target);
    return found;
}

static bool folders_begin(p3_delivery *d, const char *name, const char *sender, p3_problem *why)
{
    p3_folders *m = (p3_folders *)d;
    m->shares.name = name;
    for (size_t i = 0; i < m->to_count; i++) {
        size_t place = m->place_of[m->to[i]];
        p3_folder *p = &m->at[place];
        if (p->part->in_hand || has(m, place, name))
            continue;
        bool ok = p->shut.exit == 0 && open_place(m, place, why);
        if (p->shut.exit != 0)
            *why = p->shut;
        if (ok && goes_there(m, place))
            continue;
        if (ok && !p3_shares_make_room(&m->shares, place))
            return p3_problem_memory(why);
        p->part->in_hand = ok;
        ok = ok && p->part->delivery->class->begin(p->part->delivery, name, sender, why);
        if (!ok && !drop_one(&m->shares, place, why))
            return false;
    }
    return true;
}

static bool folders_write(p3_delivery *d, const char *data, size_t len, p3_problem *why)
{
    p3_folders *m = (p3_folders *)d;
    for (size_t i = 0; i < m->shares.count; i++) {
        p3_folder *p = &m->at[i];
        if (p->part->in_hand &&
            !p->part->delivery->class->write(p->part->delivery, data, len, why) &&
            !drop_one(&m->shares, i, why))
            return false;
    }
    return true;
}

static bool folders_finish(p3_delivery *d, p3_parcel *out, p3_problem *why)
{
    return p3_shares_finish((p3_shares *)d, out, 0, drop_one, why);
}

/* ---- delivering ---- */

/* Delivers a folder's share. `lacks` counts for each message how many folders do not have it. False
 * when the target fails. */
static bool deliver_share(size_t place, p3_share *share, p3_batch *batch, size_t *lacks)
{
    p3_batch *b = &share->batch;
    const p3_problem *failed = &b->problem;
    p3_share_deliver(share, batch);
    p3_crash_point("folder-delivered");
    bool counts = b->problem.exit == 0;
    if (counts)
        failed = &b->stopped;
    for (size_t k = 0; k < b->count; k++) {
        p3_parcel *p = &b->parcels[k];
        lacks[p->entry] -= counts && p->delivered;
        if (is_of_folder(place, failed) && !(counts && p->delivered) && p->problem == NULL)
            p3_parcel_fail(p, failed->exit, "", failed);
        p3_parcel_add_problem(&batch->parcels[p->entry], &p->problem);
    }
    if (failed->exit == 0 || is_of_folder(place, failed))
        return true;
    batch->stopped = *failed;
    return false;
}

static void folders_deliver(p3_batch *b)
{
    const p3_folders *m = (const p3_folders *)b->to;
    p3_share *shares = b->spool;
    size_t *lacks = calloc(b->count + 1, sizeof *lacks);
    bool ok = lacks != NULL || p3_problem_memory(&b->problem);
    for (size_t i = 0; i < b->count && ok; i++)
        lacks[i] = b->parcels[i].problem != NULL;
    for (size_t i = 0; i < m->shares.count && shares != NULL && ok; i++) {
        for (size_t k = 0; k < shares[i].batch.count; k++)
            lacks[shares[i].batch.parcels[k].entry]++;
    }
    for (size_t i = 0; i < m->shares.count && shares != NULL && ok; i++)
        ok = shares[i].batch.count == 0 || deliver_share(i, &shares[i], b, lacks);
    for (size_t i = 0; i < b->count && lacks != NULL; i++)
        b->parcels[i].delivered = lacks[i] == 0;
    free(lacks);
}

static void folders_recorded(p3_delivery *d, p3_batch *batch, bool kept)
{
    p3_folders *m = (p3_folders *)d;
    p3_share *shares = batch != NULL ? batch->spool : NULL;
    for (size_t i = 0; i < m->shares.count && shares != NULL; i++) {
        p3_batch *share = &shares[i].batch;
        if (share->count > 0 && share->to->class->recorded != NULL)
            share->to->class->recorded(share->to, share, kept);
    }
    p3_shares_free(&m->shares, shares);
}

/* ---- after a crash ---- */

/* Asks a folder which messages it has, and records them. */
static bool ask_folder(p3_folders *m, size_t place, const p3_left_over *at, size_t count,
                       p3_left_over *some, p3_problem *why)
{
    if (!open_place(m, place,
                    why)) /* a folder that cannot be opened has none; that is so for each message */
        return is_of_folder(place, why);
    for (size_t i = 0; i < count; i++)
        some[i] = (p3_left_over){.name = at[i].name, .row = i, .any_time = true};
    p3_delivery *to = m->shares.parts[place].delivery;
    if (!p3_delivery_settle(to, some, count, why)) {
        m->at[place].shut = *why;
        return is_of_folder(place, why);
    }
    for (size_t i = 0; i < count; i++) {
        if (!some[i].there)
            continue;
        if (!p3_grow(&m->had, &m->had_room, m->had_count + 1, sizeof *m->had))
            return p3_problem_memory(why);
        m->had[m->had_count] = (p3_had){strdup(some[i].name), place};
        if (m->had[m->had_count].name == NULL)
            return p3_problem_memory(why);
        m->had_count++;
    }
    return true;
}

/* Reports that no message is there: they are retrieved again, and delivered to the folders that
 * lack them. */
static bool folders_settle(p3_delivery *d, p3_left_over *at, size_t count, p3_problem *why)
{
    p3_folders *m = (p3_folders *)d;
    p3_left_over *some = calloc(count + 1, sizeof *some);
    bool ok = some != NULL || p3_problem_memory(why);
    for (size_t i = 0; i < m->shares.count && ok; i++)
        ok = ask_folder(m, i, at, count, some, why);
    free(some);
    if (m->had_count > 0)
        qsort(m->had, m->had_count, sizeof *m->had, compare_had);
    return ok;
}

static void folders_inherit(p3_delivery *d, p3_delivery *settled)
{
    p3_folders *m = (p3_folders *)d;
    p3_folders *from = (p3_folders *)settled;
    m->had = from->had;
    m->had_count = from->had_count;
    m->had_room = from->had_room;
    from->had = NULL;
    from->had_count = 0;
    from->had_room = (p3_room){0};
    for (size_t i = 0; i < m->shares.count && i < from->shares.count; i++)
        m->at[i].shut = from->at[i].shut;
}

/* ---- opening and closing ---- */

static void folders_close(p3_delivery *d)
{
    p3_folders *m = (p3_folders *)d;
    p3_shares_close(&m->shares);
    for (size_t i = 0; i < m->shares.count; i++)
        free(m->at[i].target.where);
    for (size_t i = 0; i < m->had_count; i++)
        free(m->had[i].name);
    free(m->had);
    free(m->at);
    free(m);
}

static const p3_delivery_class folders_class = {
    .slow = true,
    .prints = true,
    .address = folders_address,
    .begin = folders_begin,
    .write = folders_write,
    .finish = folders_finish,
    .abandon = p3_shares_abandon,
    .discard = p3_shares_discard,
    .seal = p3_shares_seal,
    .deliver = folders_deliver,
    .recorded = folders_recorded,
    .settle = folders_settle,
    .inherit = folders_inherit,
    .close = folders_close,
};

/* Adds a folder, unless it exists under another name. */
static bool add_place(p3_folders *m, const p3_target *t, char *where, size_t number)
{
    p3_target target = *t;
    target.where = where;
    size_t i = 0;
    while (where != NULL && i < m->shares.count && !p3_target_equal(&m->at[i].target, &target))
        i++;
    m->place_of[number] = i;
    if (where == NULL || i < m->shares.count) {
        free(where);
        return where != NULL;
    }
    m->at[i] = (p3_folder){.target = target, .part = &m->shares.parts[i]};
    m->shares.count++;
    return true;
}

p3_delivery *p3_folders_open(const p3_target *t, p3_owner owner, p3_problem *why)
{
    size_t count = p3_target_folders(t);
    if (count == 0)
        return p3_target_open(t, owner, why);
    p3_folders *m = calloc(1, sizeof *m);
    if (m == NULL || (m->at = calloc(count + 1, sizeof *m->at)) == NULL) {
        free(m);
        (void)p3_problem_memory(why);
        return NULL;
    }
    m->shares.base = (p3_delivery){.class = &folders_class, .owner = owner};
    m->map = t->envelope->map;
    bool ok = true;
    for (size_t i = 0; ok && i <= count; i++)
        ok = add_place(m, t, p3_target_place(t, i), i);
    if ((ok || p3_problem_memory(why)) && open_place(m, 0, why))
        return &m->shares.base;
    folders_close(&m->shares.base);
    return NULL;
}
