/* Intents that an earlier run left over: which of them were carried out. */
#include "collect/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The line at `at`, its LF included; 0 when there is none. */
static size_t line_length(const char *at, size_t len)
{
    const char *lf = len > 0 ? memchr(at, '\n', len) : NULL;
    return lf != NULL ? (size_t)(lf - at) + 1 : 0;
}

/* How many octets the lines have that add_lines() of session_take.c put before a message. */
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

/* The fingerprint of a message that was delivered. False when it cannot be read back: without it a
 * server without unique-ids would have it delivered again. */
static bool read_fingerprint(p3_session *s, p3_delivery *d, p3_row *row, char *room)
{
    p3_header h = {0};
    p3_problem why;
    if (d->class->read_back == NULL)
        return true;
    ssize_t n = d->class->read_back(d, row->name, room, P3_HEADER_MOST);
    if (n < 0) {
        p3_problem_errno(&why, errno, "reading what was delivered as %s", row->name);
        p3_session_fail(s, &why);
        return false;
    }
    take_back(&h, s->account, room, (size_t)n);
    bool failed = h.failed;
    if (failed)
        p3_session_fail_memory(s);
    else if (h.done)
        row->fingerprint = p3_fingerprint_of(h.data, h.len);
    p3_header_free(&h);
    return !failed;
}

/* Records which intents turned out to be delivered, and with what header. */
static bool settle_rows(p3_session *s, p3_delivery *d, const p3_left_over *left, size_t count)
{
    char *room = malloc(P3_HEADER_MOST);
    p3_change *changes = calloc(count, sizeof *changes);
    size_t n = 0;
    if (room == NULL || changes == NULL) {
        free(room);
        free(changes);
        p3_session_fail_memory(s);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        p3_row *row = &s->rows.at[left[i].row];
        if (!left[i].there)
            continue;
        if (!read_fingerprint(s, d, row, room)) {
            free(room);
            free(changes);
            return false;
        }
        row->standing = P3_DELIVERED;
        row->time = s->calendar.stamp;
        row->name = "";
        s->tally.delivered++;
        s->tally.settled++;
        changes[n++].row = *row;
    }
    free(room);
    return p3_session_record(s, changes, n, NULL, "settled");
}

/* Whether it may be the name of a file: no run has recorded anything else, but the state may be a
 * bad one. */
static bool is_a_name(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL;
}

/* Whether a target has a spool of this account: all that tells which messages it has, until that is
 * recorded. */
static bool has_spool(const p3_target *t, p3_owner owner)
{
    const p3_target_row *row = p3_target_row_of(t->kind);
    return row != NULL && row->opens_beside && p3_target_has(t, owner);
}

/* Looks at the target for what an earlier run may have delivered without recording it. */
bool p3_session_settle(p3_session *s)
{
    p3_problem why = {0};
    size_t count = 0;
    p3_target old = {0};
    const p3_target *now = &s->account->target;
    if (s->run->options->dry_run)
        return true;
    for (size_t i = 0; i < s->rows.count; i++)
        count += s->rows.at[i].standing == P3_INTENT;
    bool settles = count > 0 && s->known.target != NULL;
    if (settles)
        old = p3_target_of_text(s->known.target);
    /* What was not delivered there comes again. */
    settles = settles && (p3_target_equal(&old, now) || p3_target_has(&old, s->owner));
    bool syncs = has_spool(now, s->owner) || (settles && has_spool(&old, s->owner));
    if (syncs && !p3_state_sync(s->run->state, &why)) {
        p3_session_fail(s, &why);
        return false;
    }
    if (!(settles && p3_target_equal(&old, now)))
        p3_target_tidy(now, s->owner);
    if (!settles)
        return true;
    p3_left_over *left = calloc(count, sizeof *left);
    p3_delivery *d = left != NULL ? p3_target_open(&old, s->owner, &why) : NULL;
    bool ok = d != NULL;
    count = 0;
    for (size_t i = 0; ok && i < s->rows.count; i++) {
        if (s->rows.at[i].standing == P3_INTENT && is_a_name(s->rows.at[i].name))
            left[count++] = (p3_left_over){.name = s->rows.at[i].name, .row = i};
    }
    if (ok && count > 0) {
        ok = d->class->settle(d, left, count, &why);
        if (ok)
            ok = settle_rows(s, d, left, count);
    }
    if (left == NULL)
        p3_session_fail_memory(s);
    else if (!ok && why.exit != 0)
        p3_session_fail(s, &why);
    s->settled = d; /* closed when what was found is recorded */
    free(left);
    return ok;
}
