/* Records intents before the first message is requested. */
#include "collect/intents.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The number of intents that are recorded before the first message is requested: about a window of
 * commands, so that the connection is busy while the others are recorded. */
#define P3_FIRST_INTENTS 1000

/* Updates a row after the listing. */
static void change_row(const p3_maildrop *d, size_t i, p3_changes *changes)
{
    p3_row *row = &d->rows.at[i];
    int64_t now = time(NULL);
    /* It may be one of those whose header could not be requested. */
    if (d->plan.claimed[i] || d->report->tally.unseen > 0)
        return;
    if (row->standing == P3_GONE && row->time + P3_GONE_SECONDS >= now)
        return;
    if (p3_is_intent(row->standing) || row->standing == P3_GONE || row->standing == P3_DOUBTED) {
        p3_change *change = p3_changes_add(changes, row);
        if (change != NULL)
            change->forget = true;
        return;
    }
    row->standing = P3_GONE;
    row->time = now;
    row->broke = 0;
    (void)p3_changes_add(changes, row);
}

/* Updates the row of a message whose header was requested, if it differs. */
static void change_kept(const p3_maildrop *d, const p3_mail *mail, p3_changes *changes)
{
    p3_row *row = p3_maildrop_row(d, mail);
    bool same = row->uid.len == mail->uid.len &&
                (row->uid.len == 0 || memcmp(row->uid.data, mail->uid.data, row->uid.len) == 0);
    uint64_t octets = mail->octets != P3_SIZE_UNKNOWN ? mail->octets : row->octets;
    bool timed = p3_calendar_plausible(&d->calendar, row->time) || d->calendar.stamp == 0;
    p3_standing standing =
        row->standing == P3_PASSED_OVER || (p3_maildrop_starts_now(d) && d->moved) ? P3_PASSED_OVER
                                                                                   : P3_DELIVERED;
    if (same && row->standing == standing && row->octets == octets && timed)
        return;
    if (!timed) /* delivered when the clock was wrong: its age starts now */
        row->time = d->calendar.stamp;
    row->tries = row->standing == P3_GONE ? row->tries + 1 : row->tries; /* it has reappeared */
    row->standing = standing;
    row->octets = octets;
    row->uid = mail->uid;
    (void)p3_changes_add(changes, row);
}

/* Adds the intent to deliver the next message under the next name. */
static bool intend(p3_intents *s, p3_changes *changes)
{
    p3_maildrop *d = s->drop;
    size_t next = s->names.count;
    p3_mail *mail = &d->box.at[s->mails[next]];
    p3_name_list_add(&s->names, s->run_names);
    if (mail->row == P3_NO_ROW)
        mail->row = p3_rows_add(&d->rows, mail->uid);
    if (mail->row == P3_NO_ROW)
        return false;
    p3_row *row = p3_maildrop_row(d, mail);
    bool unproven = row->standing == P3_UNPROVEN || row->standing == P3_DOUBTED;
    if (row->standing == P3_INTENT && p3_names_made_for(row->name, s->names.owner.mark) &&
        p3_target_keeps_names(&d->account->target))
        p3_name_list_set(&s->names, next, row->name);
    else if (row->members == 0 && !unproven) /* they say which message the targets of a list have */
        row->fingerprint = row->body = (p3_fingerprint){{0}};
    row->standing = unproven ? P3_UNPROVEN : P3_INTENT;
    row->broke = 0;
    row->uid = mail->uid;
    row->octets = mail->octets != P3_SIZE_UNKNOWN ? mail->octets : 0;
    row->name = p3_name_list_at(&s->names, next);
    return p3_changes_add(changes, row) != NULL;
}

/* Adds the intents of the next messages, up to `end`. */
static bool intend_up_to(p3_intents *s, size_t end, p3_changes *changes)
{
    while (s->names.count < end) {
        if (!intend(s, changes))
            return false;
    }
    return true;
}

/* A message counts as seen from now on, with what is known about it. */
static bool pass_over(p3_maildrop *d, p3_mail *mail, p3_changes *changes)
{
    p3_look look = p3_listing_look(&d->box, (size_t)(mail - d->box.at));
    if (mail->row == P3_NO_ROW)
        mail->row = p3_rows_add(&d->rows, mail->uid);
    if (mail->row == P3_NO_ROW)
        return false;
    p3_row *row = p3_maildrop_row(d, mail);
    *row = (p3_row){.id = row->id,
                    .uid = mail->uid,
                    .name = "",
                    .time = d->calendar.stamp,
                    .octets = mail->octets != P3_SIZE_UNKNOWN ? mail->octets : 0,
                    .fingerprint = look.print,
                    .common = p3_fingerprint_known(&look.print) && !look.distinctive,
                    .standing = P3_PASSED_OVER};
    return p3_changes_add(changes, row) != NULL;
}

/* All new messages count as seen. */
static bool pass_all_over(p3_maildrop *d, p3_changes *changes)
{
    for (size_t i = 0; i < d->box.count; i++) {
        p3_mail *mail = &d->box.at[i];
        if (mail->todo == P3_TODO_RETRIEVE && !pass_over(d, mail, changes))
            return false;
    }
    return true;
}

/* Updates all rows. */
static void change_known(const p3_maildrop *d, p3_changes *changes)
{
    for (size_t i = 0; i < d->rows.count; i++)
        change_row(d, i, changes);
    for (size_t i = 0; i < d->box.count; i++) {
        if (d->box.at[i].todo == P3_TODO_KEEP)
            change_kept(d, &d->box.at[i], changes);
    }
}

static size_t count_passed_over(const p3_changes *changes)
{
    size_t count = 0;
    for (size_t i = 0; i < changes->count; i++)
        count += changes->at[i].row.standing == P3_PASSED_OVER;
    return count;
}

/* The first intents are on the disk: the others are handed in. */
static void recorded(void *ctx, const p3_problem *problem)
{
    p3_intents *s = ctx;
    if (problem->exit == 0)
        s->recorded = s->names.count;
}

/* Hands in the changes. `ok`: they are complete. */
static bool hand_in(p3_intents *s, p3_commit what, bool ok)
{
    if (ok)
        return p3_recorder_add(s->recorder, what, recorded, s);
    p3_changes_free(&what.changes);
    return false;
}

bool p3_intents_begin(p3_intents *s, const size_t *mails, size_t count)
{
    p3_maildrop *d = s->drop;
    size_t first = count < P3_FIRST_INTENTS ? count : P3_FIRST_INTENTS;
    bool now = p3_maildrop_starts_now(d);
    p3_commit what = {.target = first > 0 || now ? &d->account->target : NULL,
                      .reached = now ? "passed-over" : "intents-recorded"};
    s->mails = mails;
    s->count = count;
    if (!p3_name_list_init(&s->names, s->run_names, count, d->owner))
        return false;
    change_known(d, &what.changes);
    bool ok = now ? pass_all_over(d, &what.changes) : intend_up_to(s, first, &what.changes);
    if (ok && now)
        p3_report_passed_over(d->report, count_passed_over(&what.changes));
    bool none = what.changes.count == 0 && !what.changes.failed && !now;
    return (ok && none) || hand_in(s, what, ok);
}

bool p3_intents_go_on(p3_intents *s)
{
    p3_commit what = {.reached = "intents-recorded"};
    return s->names.count == s->count || hand_in(s, what, intend_up_to(s, s->count, &what.changes));
}

void p3_intents_free(p3_intents *s)
{
    p3_name_list_free(&s->names);
}
