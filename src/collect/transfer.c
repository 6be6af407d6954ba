/* Messages on their way from the server to the target. */
#include "collect/transfer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>

/* Whether a message must not be deleted before the others. */
static bool is_postponed(const p3_transfer *t, const p3_mail *mail)
{
    const p3_postponed *p = &t->trust->postponed;
    return p->all || p3_deletion_broke_before(t->drop, mail) ||
           p3_postponed_find(p, p3_deletion_key(t->drop, mail)) != NULL;
}

/* A message that is due stays on the server: reports the reason, or counts it if all stay. */
static void keep(p3_transfer *t, const p3_mail *mail, const p3_postponement *one)
{
    p3_problem why;
    p3_problem_set(&why, EX_TEMPFAIL, "%s", one != NULL ? p3_postponed_why(one) : "");
    p3_report_undeleted(t->drop->report, mail, one != NULL ? &why : NULL);
}

/* A message has been received: adds it to the batch. */
static void message_came(void *ctx, const p3_parcel *parcel)
{
    p3_transfer *t = ctx;
    p3_batcher_add(&t->batcher, parcel);
    p3_batcher_hand_in_full(&t->batcher, t->retriever.steps, t->retriever.odd);
}

/* A message is delivered and recorded: deletes it if it is due now. */
static void message_delivered(void *ctx, p3_mail *mail)
{
    p3_transfer *t = ctx;
    if (!p3_maildrop_row_is_due(t->drop, p3_maildrop_row(t->drop, mail)))
        return;
    if (t->trust->postponed.all)
        keep(t, mail, NULL);
    else if (t->trust->frugal || is_postponed(t, mail))
        t->more = true; /* left to another visit */
    else
        p3_deleter_add(&t->deleter, mail);
}

void p3_transfer_confirm(p3_transfer *t)
{
    const p3_window *w = &t->retriever.window;
    p3_changes changes = {0};
    if (t->confirmed)
        return;
    t->confirmed = true;
    for (size_t i = 0; i < w->finished; i++) {
        p3_mail *mail = &t->drop->box.at[w->mails[i]];
        bool again = mail->came == P3_CAME_AGAIN;
        bool doubted =
            mail->row != P3_NO_ROW && p3_maildrop_row(t->drop, mail)->standing == P3_DOUBTED;
        if (!again && (!doubted || (mail->leaves && t->drop->pipelined)))
            continue; /* its record is made before QUIT */
        p3_maildrop_row(t->drop, mail)->tries = 0;
        p3_recorder_change(t->retriever.recorder, &changes, mail, P3_DELIVERED);
        if (again)
            message_delivered(t, mail);
    }
    p3_recorder_add_changes(t->retriever.recorder, changes, "again-recorded");
}

void p3_transfer_init(p3_transfer *t, p3_run *run, p3_recorder *recorder, const p3_trust *trust)
{
    p3_maildrop *d = recorder->drop;
    t->drop = d;
    t->trust = trust;
    t->intents = (p3_intents){.drop = d, .recorder = recorder, .run_names = &run->names};
    t->retriever = (p3_retriever){.drop = d,
                                  .recorder = recorder,
                                  .names = &t->intents.names,
                                  .host = run->names.host,
                                  .came = message_came,
                                  .steps = trust->caution == P3_CAUTION_STEPS,
                                  .ctx = t};
    t->batcher = (p3_batcher){.drop = d,
                              .recorder = recorder,
                              .jobs = run->jobs,
                              .delivered = message_delivered,
                              .ctx = t};
    p3_deleter_init(&t->deleter, d);
}

/* Nothing more is deleted in this run. */
static void tell_of_all(const p3_transfer *t)
{
    p3_problem why;
    p3_problem_set(&why, EX_TEMPFAIL,
                   "each session ended when a message was to be deleted; %" PRIu64
                   " that were delivered stay on the server; --keep leaves mail there",
                   t->drop->report->tally.undeleted);
    if (t->drop->report->tally.undeleted > 0)
        p3_maildrop_noted(t->drop, &why);
}

/* Messages whose deletion broke a session, in this run or an earlier one: some are kept, and one of
 * the others is deleted if the visit has nothing else to do. */
static void delete_postponed(p3_transfer *t, bool busy)
{
    const p3_maildrop *d = t->drop;
    const p3_postponed *p = &t->trust->postponed;
    for (size_t i = 0; i < d->box.count && !d->over; i++) {
        const p3_mail *mail = &d->box.at[i];
        if (!p3_maildrop_is_due(d, mail) || !is_postponed(t, mail))
            continue;
        const p3_postponement *one = p3_postponed_find(p, p3_deletion_key(d, mail));
        if (p->all || (one != NULL && one->kept)) {
            keep(t, mail, p->all ? NULL : one);
        } else if (busy) {
            t->more = true;
        } else {
            busy = true;
            p3_deleter_add(&t->deleter, mail);
        }
    }
}

/* Whether a message is due by the listing alone, which is not sufficient. */
static bool is_not_looked_at(const p3_maildrop *d, const p3_mail *mail)
{
    return mail->todo == P3_TODO_KEEP && mail->certain == P3_CERTAIN_LISTED &&
           !d->report->options->dry_run && p3_maildrop_row_is_due(d, p3_maildrop_row(d, mail));
}

/* It is left to another visit, or another run. */
static void leave_to_another_visit(p3_transfer *t, const p3_mail *mail)
{
    if (t->trust->postponed.all || p3_trust_looks_in_vain(t->trust))
        keep(t, mail, NULL);
    else
        t->more = true;
}

/* Deletes known messages that are due, as far as this visit may. A frugal visit that requested
 * headers only records them. `busy`: the visit does something else. */
static void delete_known(p3_transfer *t, bool only_deletes, bool busy)
{
    const p3_maildrop *d = t->drop;
    bool another = t->trust->frugal && (!only_deletes || d->plan.looks > 0);
    size_t room = another ? 0 : p3_trust_quota(t->trust, d->known.traits.quit_after);
    for (size_t i = 0; i < d->box.count && !d->over; i++) {
        const p3_mail *mail = &d->box.at[i];
        if (is_not_looked_at(d, mail))
            leave_to_another_visit(t, mail);
        if (!p3_maildrop_is_due(d, mail) || is_postponed(t, mail))
            continue;
        busy = true;
        t->more = t->more || room == 0;
        if (another && t->proven == 0 && mail->row != P3_NO_ROW)
            t->proven = p3_maildrop_row(d, mail)->id;
        if (room > 0) {
            room--;
            p3_deleter_add(&t->deleter, mail);
        }
    }
    delete_postponed(t, busy || room == 0);
}

void p3_transfer_begin(p3_transfer *t, const p3_choice *choice, bool only_deletes)
{
    p3_problem why;
    p3_maildrop *d = t->drop;
    if (d->report->options->dry_run)
        return;
    if (!p3_retriever_begin(&t->retriever, choice->mails, choice->count, &why)) {
        p3_maildrop_failed(d, &why);
        return;
    }
    if (t->retriever.delivery != NULL)
        p3_batcher_begin(&t->batcher, t->retriever.delivery, choice->count);
    if (p3_intents_begin(&t->intents, choice->mails, choice->count))
        delete_known(t, only_deletes, choice->count > 0);
    else
        p3_maildrop_failed_memory(d);
}

bool p3_transfer_advance(p3_transfer *t)
{
    if (t->drop->report->options->dry_run)
        return true;
    if (!t->goes_on && t->retriever.recorder->pending > 0)
        return false;
    if (!t->goes_on && !p3_intents_go_on(&t->intents))
        p3_maildrop_failed_memory(t->drop);
    t->goes_on = true; /* as the first intents are on the disk */
    p3_retriever_allow(&t->retriever, t->intents.recorded);
    if (!p3_window_is_done(&t->retriever.window))
        return false;
    p3_batcher_hand_in(&t->batcher);
    /* QUIT may delete what was retrieved, even without DELE (RFC 1939 §8, RFC 2449 §6.7): it waits
     * until everything is on the disk. */
    if (t->batcher.batches == 0 && !t->drop->over)
        p3_transfer_confirm(t);
    bool done = t->batcher.batches == 0 && p3_window_is_done(&t->deleter.window);
    if (done && t->trust->postponed.all)
        tell_of_all(t);
    return done;
}

void p3_transfer_free(p3_transfer *t)
{
    p3_retriever_free(&t->retriever);
    p3_deleter_free(&t->deleter);
    p3_batcher_free(&t->batcher);
    p3_intents_free(&t->intents);
}
