/* Chooses which of the new messages are retrieved: by size, by earlier failures, by the run's
 * limit. */
#include "collect/choice.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>

#include "collect/retry_limit.h"

/* The number of known messages whose headers are requested. */
static size_t looks_most(const p3_maildrop *d, const p3_trust *trust, bool only_deletes)
{
    if (d->report->options->dry_run || trust->postponed.all || p3_trust_looks_in_vain(trust))
        return 0;
    if (trust->frugal)
        return only_deletes;
    return p3_trust_quota(trust, d->known.traits.quit_after);
}

/* Whether the header of a message need not be requested, because it was received in this run, or
 * because there is nothing to compare it with: a program's own memory has no fingerprints. */
static bool is_not_looked_at(const p3_maildrop *d, const p3_row *row)
{
    return row->id >= d->run_first || !p3_fingerprint_known(&row->fingerprint);
}

void p3_choice_look_at_due(p3_maildrop *d, const p3_trust *trust, bool only_deletes)
{
    size_t room = looks_most(d, trust, only_deletes);
    bool can_top = p3_maildrop_can_top(d);
    for (size_t i = 0; i < d->box.count; i++) {
        p3_mail *mail = &d->box.at[i];
        if (mail->todo != P3_TODO_KEEP)
            continue;
        const p3_row *row = p3_maildrop_row(d, mail);
        if (row->id == trust->proven)
            mail->certain = P3_CERTAIN;
        if (mail->certain != P3_CERTAIN_LISTED)
            continue;
        if (is_not_looked_at(d, row)) {
            mail->certain = P3_CERTAIN;
        } else if (room > 0 && p3_maildrop_row_is_due(d, row)) {
            room--;
            if (can_top)
                p3_plan_look(&d->plan, mail);
            else
                mail->certain = P3_UNCERTAIN; /* compare the message itself */
        }
    }
}

void p3_choice_set_aside(p3_maildrop *d, const p3_trust *trust)
{
    p3_problem why;
    p3_problem_set(&why, EX_TEMPFAIL,
                   "each session ends when the server is asked for this message; it stays there, "
                   "and the others are retrieved");
    for (size_t i = 0; i < d->box.count && trust->asides > 0; i++) {
        p3_mail *mail = &d->box.at[i];
        p3_todo todo = mail->todo;
        bool compared = todo == P3_TODO_KEEP && mail->certain == P3_UNCERTAIN;
        if (!p3_trust_sets_aside(trust, mail->number) || todo == P3_TODO_NOTHING ||
            (todo == P3_TODO_KEEP && !compared))
            continue;
        mail->todo = P3_TODO_NOTHING;
        d->plan.looks -= todo == P3_TODO_READ_HEADER;
        if (todo == P3_TODO_READ_HEADER || compared)
            p3_report_unseen(d->report, mail, &why);
        else
            p3_report_failed(d->report, mail, &why);
    }
}

void p3_choice_by_size(p3_maildrop *d)
{
    const p3_account *a = d->account;
    for (size_t i = 0; i < d->box.count; i++) {
        p3_mail *mail = &d->box.at[i];
        if (mail->todo != P3_TODO_RETRIEVE || mail->octets == P3_SIZE_UNKNOWN)
            continue;
        if (a->kill_size > 0 && mail->octets > a->kill_size) {
            mail->todo = P3_TODO_NOTHING;
            mail->remove = true;
        } else if (a->max_size > 0 && mail->octets > a->max_size) {
            mail->todo = P3_TODO_NOTHING;
            p3_report_skipped(d->report, mail, "it is larger than the size limit");
        }
    }
}

/* A message to retrieve, for sorting: messages that failed before come late, those that some
 * targets of a list have come last. */
typedef struct p3_candidate {
    bool shared;
    uint32_t tries;
    size_t mail;
} p3_candidate;

static int compare_candidates(const void *x, const void *y)
{
    const p3_candidate *a = x;
    const p3_candidate *b = y;
    if (a->shared != b->shared)
        return a->shared ? 1 : -1;
    if (a->tries != b->tries)
        return a->tries < b->tries ? -1 : 1;
    return a->mail < b->mail ? -1 : a->mail > b->mail;
}

/* Once a message has ended a visit of this run, messages that have often failed are left out, so
 * that the others reach their QUIT. */
static bool is_trouble(const p3_maildrop *d, const p3_bounds *bounds, const p3_mail *mail,
                       uint32_t tries)
{
    p3_problem why;
    if (!bounds->spares_trouble || tries < P3_TRIES_MOST)
        return false;
    p3_problem_set(&why, EX_PROTOCOL,
                   "it is not tried again in this run: retrieving it failed %" PRIu32 " times",
                   tries);
    p3_report_failed(d->report, mail, &why);
    return true;
}

/* The members of a list that lack a message could not be asked whether they have it. */
static bool waits_for_target(const p3_maildrop *d, const p3_row *row)
{
    p3_members all = p3_target_all(&d->account->target);
    return d->unasked != 0 && ((row->members | d->unasked) & all) == all;
}

static size_t gather_candidates(const p3_maildrop *d, const p3_bounds *bounds, p3_candidate *out)
{
    static const p3_row none = {0};
    size_t count = 0;
    for (size_t i = 0; i < d->box.count; i++) {
        const p3_mail *mail = &d->box.at[i];
        const p3_row *row = mail->row == P3_NO_ROW ? &none : p3_maildrop_row(d, mail);
        if (mail->todo == P3_TODO_RETRIEVE && !(row != &none && waits_for_target(d, row)) &&
            !is_trouble(d, bounds, mail, row->tries))
            out[count++] = (p3_candidate){row->members != 0, row->tries, i};
    }
    qsort(out, count, sizeof *out, compare_candidates);
    return count;
}

static size_t bound_by_limit(const p3_maildrop *d, size_t count)
{
    uint64_t limit = d->account->limit;
    uint64_t done = d->report->tally.retrieved;
    uint64_t room = limit > done ? limit - done : 0;
    return limit > 0 && count > room ? (size_t)room : count;
}

/* How many of `count` messages are retrieved in this visit. Deletions in it count as well, if the
 * server needs QUIT after some. */
static size_t bound_by_room(const p3_maildrop *d, const p3_bounds *bounds, size_t count, bool *more)
{
    size_t room = bounds->only_deletes ? 0 : bounds->room;
    for (size_t i = 0; i < d->box.count && room > 0 && room < SIZE_MAX; i++)
        room -= p3_maildrop_is_due(d, &d->box.at[i]);
    *more = count > room;
    return count < room ? count : room;
}

/* A server that gives its messages new unique-ids or headers each time could fill the disk. */
static size_t bound_by_copies(const p3_maildrop *d, size_t count, p3_problem *why)
{
    const p3_tally *t = &d->report->tally;
    uint64_t room = p3_retry_limit_messages(t);
    if (count <= room)
        return count;
    p3_problem_set(
        why, EX_TEMPFAIL,
        "%" PRIu64
        " messages were delivered in this run, although the server lists no more than %" PRIu64
        ": it seems to list delivered messages as new ones; the rest waits for the next run",
        t->delivered - t->settled, t->listed_most);
    return (size_t)room;
}

bool p3_choose(p3_maildrop *d, const p3_bounds *bounds, p3_choice *out)
{
    p3_candidate *all = malloc((d->box.count + 1) * sizeof *all);
    size_t *mails = malloc((d->box.count + 1) * sizeof *mails);
    uint64_t octets = 0;
    *out = (p3_choice){.mails = mails};
    if (all == NULL || mails == NULL) {
        free(all);
        return false;
    }
    size_t count =
        p3_maildrop_starts_now(d) ? 0 : bound_by_limit(d, gather_candidates(d, bounds, all));
    count = bound_by_room(d, bounds, count, &out->more);
    out->count = bound_by_copies(d, count, &out->problem);
    for (size_t i = 0; i < out->count; i++) {
        const p3_mail *mail = &d->box.at[all[i].mail];
        mails[i] = all[i].mail;
        octets += mail->octets != P3_SIZE_UNKNOWN ? mail->octets : 0;
    }
    free(all);
    p3_report_wanted(d->report, out->count, octets);
    return true;
}

void p3_choice_tell(const p3_choice *c, const p3_maildrop *d)
{
    const p3_listing *box = &d->box;
    for (size_t i = 0; i < c->count; i++)
        p3_report_tell(d->report, P3_NOTICE_WOULD, &box->at[c->mails[i]], "retrieve", NULL);
    for (size_t i = 0; i < box->count; i++) {
        if (box->at[i].todo == P3_TODO_RETRIEVE && p3_maildrop_starts_now(d))
            p3_report_tell(d->report, P3_NOTICE_WOULD, &box->at[i], "pass over", NULL);
        if (p3_maildrop_is_due(d, &box->at[i]))
            p3_report_tell(d->report, P3_NOTICE_WOULD, &box->at[i], "delete", NULL);
    }
}
