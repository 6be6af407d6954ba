/* Intents that an earlier run left over. */
#include "collect/leftovers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* The line at `at`, its LF included; 0 when there is none. */
static size_t line_length(const char *at, size_t len)
{
    const char *lf = len > 0 ? memchr(at, '\n', len) : NULL;
    return lf != NULL ? (size_t)(lf - at) + 1 : 0;
}

/* How many octets the lines have that add_lines() of retriever.c put before a message. */
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

/* The header of what was delivered, as it came: with CRLF, which counts in how much is kept of a
 * very long one, and without what we have added. */
static void take_back(p3_header *h, const p3_account *a, const char *data, size_t len)
{
    size_t at = added(a, data, len);
    while (at < len && !h->done && !h->failed) {
        size_t n = line_length(data + at, len - at);
        bool ended = n > 0;
        size_t text = ended ? n - 1 : len - at;
        if (ended && text > 0 && data[at + text - 1] == '\r')
            text--;
        (void)p3_header_take(h, data + at, text);
        if (ended)
            (void)p3_header_take(h, "\r\n", 2);
        at += ended ? n : text;
    }
}

static bool no_memory(p3_problem *why)
{
    return p3_problem_set(why, EX_OSERR, "out of memory");
}

/* The fingerprint of a message that was delivered, and whether its header is to be compared. False
 * when it cannot be read back: without it a server without unique-ids would have it delivered
 * again. */
static bool read_fingerprint(const p3_account *a, p3_delivery *d, p3_row *row, char *room,
                             p3_problem *why)
{
    p3_header h = {0};
    if (d->class->read_back == NULL)
        return true;
    ssize_t n = d->class->read_back(d, row->name, room, P3_HEADER_MOST);
    if (n < 0)
        return p3_problem_errno(why, errno, "reading what was delivered as %s", row->name);
    take_back(&h, a, room, (size_t)n);
    bool failed = h.failed;
    if (!failed && h.done)
        row->fingerprint = p3_fingerprint_of(h.data, h.len);
    /* Its unique-id may have been given again since: where no other message has its header, that
     * decides. */
    if (!failed && h.done && p3_header_is_distinctive(h.data, h.len))
        row->standing = P3_LEAVING;
    p3_header_free(&h);
    return !failed || no_memory(why);
}

/* Changes the rows of intents that turned out to be delivered. */
static bool change_rows(p3_maildrop *drop, p3_delivery *d, const p3_left_over *left, size_t count,
                        char *room, p3_change *changes, size_t *n, p3_problem *why)
{
    for (size_t i = 0; i < count; i++) {
        p3_row *row = &drop->rows.at[left[i].row];
        if (!left[i].there)
            continue;
        row->standing = P3_DELIVERED;
        if (!read_fingerprint(drop->account, d, row, room, why))
            return false;
        row->time = drop->calendar.stamp;
        row->name = "";
        changes[(*n)++].row = *row;
    }
    return true;
}

/* Records which intents turned out to be delivered, and with what header. */
static bool record_found(p3_recorder *r, p3_delivery *d, const p3_left_over *left, size_t count,
                         p3_problem *why)
{
    char *room = malloc(P3_HEADER_MOST);
    p3_change *changes = calloc(count, sizeof *changes);
    size_t n = 0;
    bool ok = room != NULL && changes != NULL
                  ? change_rows(r->drop, d, left, count, room, changes, &n, why)
                  : no_memory(why);
    free(room);
    p3_report_settled(r->drop->report, n);
    if (!ok) {
        free(changes);
        return false;
    }
    p3_commit what = {.changes = changes, .count = n, .reached = "settled"};
    return p3_recorder_add(r, what, NULL, 0) || no_memory(why);
}

/* Whether it may be the name of a file: no run has recorded anything else, but the state may be a
 * bad one. */
static bool is_a_name(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL;
}

/* The intents with names, for the target; count is their number. NULL when out of memory. */
static p3_left_over *gather(const p3_rows *rows, size_t intents, size_t *count)
{
    p3_left_over *left = calloc(intents, sizeof *left);
    *count = 0;
    for (size_t i = 0; left != NULL && i < rows->count; i++) {
        if (rows->at[i].standing == P3_INTENT && is_a_name(rows->at[i].name))
            left[(*count)++] = (p3_left_over){.name = rows->at[i].name, .row = i};
    }
    return left;
}

/* Whether a target has a spool of this account: all that tells which messages it has, until that is
 * recorded. */
static bool has_spool(const p3_target *t, p3_owner owner)
{
    const p3_target_row *row = p3_target_row_of(t->kind);
    return row != NULL && row->opens_beside && p3_target_has(t, owner);
}

bool p3_leftovers_resolve(p3_leftovers *l, p3_recorder *r, p3_state *state, p3_problem *why)
{
    const p3_maildrop *drop = r->drop;
    const p3_target *now = &drop->account->target;
    p3_target old = {0};
    size_t intents = 0;
    size_t count;
    for (size_t i = 0; i < drop->rows.count; i++)
        intents += drop->rows.at[i].standing == P3_INTENT;
    bool looks = intents > 0 && drop->known.target != NULL;
    if (looks)
        old = p3_target_of_text(drop->known.target);
    if (looks && p3_target_equal(&old, now))
        old = *now; /* as it is written now: the sandbox lets no other name be looked up */
    /* What was not delivered there comes again. */
    looks = looks && (p3_target_equal(&old, now) || p3_target_has(&old, drop->owner));
    bool syncs = has_spool(now, drop->owner) || (looks && has_spool(&old, drop->owner));
    if (syncs && !p3_state_sync(state, why))
        return false;
    if (!(looks && p3_target_equal(&old, now)))
        p3_target_tidy(now, drop->owner);
    if (!looks)
        return true;
    p3_left_over *left = gather(&drop->rows, intents, &count);
    if (left == NULL)
        return no_memory(why);
    l->target = p3_target_open(&old, drop->owner, why);
    bool ok = l->target != NULL;
    if (ok && count > 0)
        ok = l->target->class->settle(l->target, left, count, why) &&
             record_found(r, l->target, left, count, why);
    free(left);
    return ok;
}

void p3_leftovers_free(p3_leftovers *l, bool recorded)
{
    if (l->target == NULL)
        return;
    if (l->target->class->recorded != NULL)
        l->target->class->recorded(l->target, NULL, recorded);
    l->target->class->close(l->target);
}
