/* Finds out which intents that an earlier run left over were carried out. */
#include "collect/leftovers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/list_delivery.h"

/* The length of the line at `at`, including its LF; 0: none. */
static size_t line_length(const char *at, size_t len)
{
    const char *lf = len > 0 ? memchr(at, '\n', len) : NULL;
    return lf != NULL ? (size_t)(lf - at) + 1 : 0;
}

/* The octets of the lines that add_lines() of retriever.c puts before a message. */
static size_t added(const p3_account *a, const char *data, size_t len)
{
    static const char field[] = "Delivered-To: ";
    size_t used = 0;
    if (a->delivered_to != NULL && len > sizeof field && memcmp(data, field, sizeof field - 1) == 0)
        used = line_length(data, len);
    bool received =
        a->received && len - used > 15 && memcmp(data + used, "Received: from ", 15) == 0;
    for (int line = 0; received && line < 2; line++)
        used += line_length(data + used, len - used);
    return used;
}

/* Restores the received form of a message that is read back: with CRLF, and without added lines. */
typedef struct p3_content_check {
    const p3_account *account;
    bool begun; /* the first piece, which contains all added lines, has been read */
    p3_header header;
    p3_body_hash *body;
} p3_content_check;

static void take_octets(p3_content_check *r, const char *data, size_t len)
{
    size_t in_header = p3_header_take(&r->header, data, len);
    p3_body_hash_take(r->body, data, len, in_header);
}

static void take_piece(void *ctx, const char *data, size_t len)
{
    p3_content_check *r = ctx;
    const char *end = data + len;
    if (!r->begun)
        data += added(r->account, data, len);
    r->begun = true;
    while (data < end) {
        size_t n = line_length(data, (size_t)(end - data));
        bool is_lf = n > 0 && r->account->line_ends == P3_LINES_LF;
        if (n == 0)
            n = (size_t)(end - data);
        take_octets(r, data, is_lf ? n - 1 : n);
        if (is_lf)
            take_octets(r, "\r\n", 2);
        data += n;
    }
}

/* Computes the fingerprints of a delivered message for its row. False when it cannot be read back:
 * without them it would be delivered again from a server without unique-ids. */
static bool read_prints(const p3_account *a, p3_delivery *d, p3_row *row, p3_problem *why)
{
    p3_content_check r = {.account = a, .body = p3_body_hash_new()};
    if (r.body == NULL)
        return p3_problem_memory(why);
    p3_body_hash_begin_whole(r.body);
    bool ok = d->class->read_back(d, row->name, take_piece, &r) ||
              p3_problem_errno(why, errno, "reading what was delivered as %s", row->name);
    if (r.header.failed)
        ok = p3_problem_memory(why);
    row->fingerprint = row->body = (p3_fingerprint){{0}};
    if (ok && r.begun) {
        row->fingerprint = p3_fingerprint_of(r.header.data, r.header.len);
        row->body = p3_body_hash_end(r.body);
    }
    p3_header_free(&r.header);
    p3_body_hash_free(r.body);
    return ok;
}

/* Updates the rows of intents that were delivered, completely or to some members of a list. Their
 * unique-ids may have been reused for messages of the same size and header: before one is deleted,
 * it is compared to the last octet with what was delivered. Lists and folders record these
 * fingerprints before the delivery: without them only the account's earlier form of target can have
 * the message, which cannot be read back now, and it is delivered again under another name. */
static bool change_rows(p3_maildrop *drop, p3_delivery *d, const p3_left_over *left, size_t count,
                        p3_changes *changes, p3_problem *why)
{
    p3_members all = p3_target_all(&drop->account->target);
    for (size_t i = 0; i < count; i++) {
        p3_row *row = &drop->rows.at[left[i].row];
        if (d->class->inherit != NULL && !p3_fingerprint_known(&row->fingerprint)) {
            row->name = "";
            continue;
        }
        bool there = left[i].there || (left[i].members & all) == all;
        drop->unasked |= left[i].unasked;
        if (!there && row->members == left[i].members)
            continue;
        if (d->class->read_back != NULL && !read_prints(drop->account, d, row, why))
            return false;
        row->members = there ? 0 : left[i].members;
        row->time = drop->calendar.stamp;
        if (there) {
            row->standing = p3_fingerprint_known(&row->fingerprint) ? P3_LEAVING : P3_DELIVERED;
            row->common = true;
            row->name = "";
        }
        (void)p3_changes_add(changes, row);
    }
    return true;
}

static size_t count_delivered(const p3_changes *changes)
{
    size_t count = 0;
    for (size_t i = 0; i < changes->count; i++)
        count += !p3_is_intent(changes->at[i].row.standing);
    return count;
}

/* Records which intents were delivered, and their headers. */
static bool record_found(p3_recorder *r, p3_delivery *d, const p3_left_over *left, size_t count,
                         p3_problem *why)
{
    p3_commit what = {.reached = "settled"};
    if (!change_rows(r->drop, d, left, count, &what.changes, why)) {
        p3_changes_free(&what.changes);
        return false;
    }
    p3_report_settled(r->drop->report, count_delivered(&what.changes));
    return p3_recorder_add(r, what, NULL, NULL) || p3_problem_memory(why);
}

/* Whether it can be a file name: runs record nothing else, but the state may have been tampered
 * with. */
static bool is_a_name(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL;
}

/* The intents with names, for the target, and their number. NULL when out of memory. */
static p3_left_over *gather_intents(const p3_rows *rows, size_t intents, size_t *count)
{
    p3_left_over *left = calloc(intents, sizeof *left);
    *count = 0;
    for (size_t i = 0; left != NULL && i < rows->count; i++) {
        if (p3_is_intent(rows->at[i].standing) && is_a_name(rows->at[i].name))
            left[(*count)++] =
                (p3_left_over){.name = rows->at[i].name, .row = i, .members = rows->at[i].members};
    }
    return left;
}

/* Whether a target, or a member of a list, has a spool of this account: the only evidence of which
 * messages it has, until that is recorded. */
static bool has_spool(const p3_target *t, p3_owner owner)
{
    size_t count;
    bool found = false;
    const p3_target *at = p3_target_members(t, &count);
    for (size_t i = 0; i < count && !found; i++) {
        const p3_target_row *row = p3_target_row_of(at[i].kind);
        found = row != NULL && row->opens_beside && p3_target_has(&at[i], owner);
    }
    return found;
}

/* Asks a target about intents, and records the answer. */
static bool ask_target(p3_leftovers *l, p3_recorder *r, const p3_target *t, size_t intents,
                       p3_problem *why)
{
    const p3_maildrop *drop = r->drop;
    p3_problem some = {0};
    size_t count;
    p3_left_over *left = gather_intents(&drop->rows, intents, &count);
    if (left == NULL)
        return p3_problem_memory(why);
    l->target = p3_list_delivery_open(t, drop->owner, why);
    bool ok = l->target != NULL;
    r->drop->settled = t == &drop->account->target ? l->target : NULL;
    if (ok && count > 0 && !p3_delivery_settle(l->target, left, count, &some)) {
        *why = some;
        ok = false;
    }
    if (ok && count == 0) /* intents without names: see set_apart() */
        p3_target_tidy(t, drop->owner);
    ok = ok && (count == 0 || record_found(r, l->target, left, count, why));
    if (ok && t->kind == P3_TARGET_SEVERAL && some.exit != 0)
        p3_maildrop_noted(drop, &some);
    free(left);
    return ok;
}

/* An account that delivers to a list, or did: only its present members count. */
static bool ask_list(p3_leftovers *l, p3_recorder *r, const p3_target *old, size_t olds,
                     size_t intents, p3_problem *why)
{
    p3_maildrop *drop = r->drop;
    const p3_target *now = &drop->account->target;
    p3_members known = p3_target_known(old, olds, now);
    for (size_t i = 0; i < drop->rows.count; i++)
        drop->rows.at[i].members &= known;
    if (known != 0)
        return ask_target(l, r, now, intents, why);
    p3_target_tidy(now, drop->owner);
    return true;
}

bool p3_leftovers_resolve(p3_leftovers *l, p3_recorder *r, p3_state *state, p3_problem *why)
{
    const p3_maildrop *drop = r->drop;
    const p3_target *now = &drop->account->target;
    p3_target old[P3_TARGETS_MOST] = {0};
    size_t olds = 0;
    size_t intents = 0;
    for (size_t i = 0; i < drop->rows.count; i++)
        intents += p3_is_intent(drop->rows.at[i].standing);
    bool looks = intents > 0 && drop->known.target != NULL;
    if (looks)
        olds = p3_targets_of_text(drop->known.target, old);
    bool lists = looks && (olds > 1 || now->kind == P3_TARGET_SEVERAL);
    bool same = looks && !lists && p3_target_equal(&old[0], now);
    if (same)
        old[0] = *now; /* in its present form, because the sandbox permits no other name to be
                          looked up */
    /* Messages that were not delivered there are delivered again. */
    looks = looks && !lists && (same || p3_target_has(&old[0], drop->owner));
    bool syncs = has_spool(now, drop->owner) || (looks && has_spool(&old[0], drop->owner));
    if (syncs && !p3_state_sync(state, why))
        return false;
    if (lists)
        return ask_list(l, r, old, olds, intents, why);
    if (!same)
        p3_target_tidy(now, drop->owner);
    return !looks || ask_target(l, r, same ? now : &old[0], intents, why);
}

void p3_leftovers_free(p3_leftovers *l, bool recorded)
{
    if (l->target == NULL)
        return;
    if (l->target->class->recorded != NULL)
        l->target->class->recorded(l->target, NULL, recorded);
    l->target->class->close(l->target);
}
