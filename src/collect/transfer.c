/* Messages on their way from the server to the target. */
#include "collect/transfer.h"

/* A message has come whole: it goes into the batch. */
static void message_came(void *ctx, const p3_parcel *parcel)
{
    p3_transfer *t = ctx;
    p3_batcher_add(&t->batcher, parcel);
    p3_batcher_hand_in_full(&t->batcher, t->trust->care == P3_CARE_STEPS, t->retriever.odd);
}

/* A message is delivered and recorded: it is deleted, when that is wanted now. */
static void message_delivered(void *ctx, p3_mail *mail)
{
    p3_transfer *t = ctx;
    if (!p3_maildrop_row_is_due(t->drop, p3_maildrop_row(t->drop, mail)))
        return;
    if (t->trust->frugal)
        t->more = true; /* that is another visit's */
    else
        p3_deleter_add(&t->deleter, mail);
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
                                  .ctx = t};
    t->batcher = (p3_batcher){.drop = d,
                              .recorder = recorder,
                              .jobs = run->jobs,
                              .delivered = message_delivered,
                              .ctx = t};
    p3_deleter_init(&t->deleter, d);
}

/* Deletes what is known and due, as far as this visit may. A frugal one that has looked at some
 * leaves it at what is recorded of that. */
static void delete_known(p3_transfer *t, bool only_deletes)
{
    const p3_maildrop *d = t->drop;
    bool another = t->trust->frugal && (!only_deletes || d->plan.looks > 0);
    size_t room = another ? 0 : p3_trust_quota(t->trust, d->known.traits.quit_after);
    for (size_t i = 0; i < d->box.count && !d->over; i++) {
        if (!p3_maildrop_is_due(d, &d->box.at[i]))
            continue;
        t->more = t->more || room == 0;
        if (room > 0) {
            room--;
            p3_deleter_add(&t->deleter, &d->box.at[i]);
        }
    }
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
        delete_known(t, only_deletes);
    else
        p3_maildrop_failed_memory(d);
}

bool p3_transfer_is_done(p3_transfer *t)
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
     * until all of it is on the disk. */
    return t->batcher.batches == 0 && p3_window_is_done(&t->deleter.window);
}

void p3_transfer_free(p3_transfer *t)
{
    p3_retriever_free(&t->retriever);
    p3_deleter_free(&t->deleter);
    p3_batcher_free(&t->batcher);
    p3_intents_free(&t->intents);
}
