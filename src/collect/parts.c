/* The parts of a visit. */
#include "collect/parts.h"

#include <pop3/login.h>
#include <stdlib.h>
#include <time.h>

#include "collect/new_target.h"

void p3_parts_init(p3_parts *p, p3_run *run, const p3_account *account, const p3_trust *trust,
                   const p3_listener *listener)
{
    p3_maildrop *d = &p->drop;
    p->report.options = run->options;
    p->report.account = account;
    *d = (p3_maildrop){.account = account,
                       .report = &p->report,
                       .owner = p3_owner_of(run->owner, account->key),
                       .listener = listener,
                       .no_top = trust->no_top};
    p->recorder = (p3_recorder){.committer = run->committer, .drop = d};
    p->authorization = (p3_authorization){.drop = d, .jobs = run->jobs, .trust = trust};
    p->lister.drop = d;
    p->lister.trust = trust;
    p->header_reader.drop = p->comparer.drop = p->filter.drop = d;
    p->filter.jobs = run->jobs;
    p3_transfer_init(&p->transfer, run, &p->recorder, trust);
}

/* Reads the clock, and records it if mail is deleted by its age. */
static bool see_clock(p3_parts *p)
{
    p3_maildrop *d = &p->drop;
    d->calendar = p3_calendar_read(time(NULL), d->known.seen);
    if (!d->calendar.changed || d->account->removal != P3_REMOVE_AFTER ||
        p->report.options->dry_run)
        return true;
    return p3_recorder_add(&p->recorder, (p3_commit){.seen = d->calendar.seen}, NULL, NULL);
}

bool p3_parts_load(p3_parts *p, p3_state *state, p3_problem *why)
{
    p3_maildrop *d = &p->drop;
    bool changes = !p->report.options->dry_run;
    bool ok = p3_state_account(state, d->account->key, &d->known, why);
    if (d->account->forget_traits)
        d->known.traits = (pop3_server_traits){0};
    pop3_server_traits_add(&d->known.traits, d->account->connection.traits);
    pop3_server_traits_add(&d->known.traits, p->lister.trust->traits);
    if (ok && changes)
        ok = p->locked = p3_state_lock(state, d->known.id, why);
    ok = ok && p3_state_load(state, d->known.id, &d->rows, why) && see_clock(p) &&
         p3_new_target_judge(d, why);
    for (size_t i = 0; ok && d->account->forget_traits && i < d->rows.count; i++)
        d->rows.at[i].broke = 0;
    return ok && (!changes || p3_leftovers_resolve(&p->leftovers, &p->recorder, state, why)) &&
           p3_new_target_take_over(&p->recorder);
}

/* The window of a stage that requests headers; for other stages, that of the last one that did. */
static const p3_window *looking(const p3_parts *p, p3_stage stage)
{
    if (stage == P3_STAGE_HEADERS)
        return &p->header_reader.window;
    bool filtered = p->drop.account->filter != NULL && stage != P3_STAGE_COMPARISON;
    return filtered ? &p->filter.window : &p->comparer.window;
}

/* Whether commands shared a window in a stage, or may have. */
static bool has_pipelined(const p3_parts *p, p3_stage stage)
{
    if (stage == P3_STAGE_LOGIN)
        return pop3_login_outcome(p->drop.client)->pipelined;
    bool asks = p3_stage_looks(stage) || stage == P3_STAGE_RETRIEVAL ||
                (stage == P3_STAGE_LISTING && p->lister.list_with_uidl);
    return asks && (p->drop.pipelined || pop3_client_pipelines(p->drop.client));
}

p3_evidence p3_parts_evidence(const p3_parts *p, p3_stage stage, pop3_status status,
                              bool out_of_time)
{
    const p3_maildrop *d = &p->drop;
    const pop3_login_result *login = pop3_login_outcome(d->client);
    const p3_window *looked = looking(p, stage);
    const p3_window *retrieved = &p->transfer.retriever.window;
    const p3_window *deleted = &p->transfer.deleter.window;
    const p3_mail *broke = p->transfer.deleter.broke;
    const p3_window *asked = stage == P3_STAGE_RETRIEVAL ? retrieved : looked;
    bool looks = p3_stage_looks(stage);
    bool asks = stage == P3_STAGE_RETRIEVAL || looks;
    bool waits =
        deleted->finished == deleted->submitted; /* waiting for a message, not for a DELE */
    bool lists = stage == P3_STAGE_LISTING;
    return (p3_evidence){
        .status = status,
        .stage = stage,
        .known = d->known.traits,
        .mechanism = login->mechanism,
        .logins = login->attempts,
        .answered = pop3_client_answered(d->client),
        .in_hand = asks && waits ? p3_window_in_hand(asked) : 0,
        .looked = looked->finished,
        .retrieved = retrieved->finished,
        .deletes = deleted->submitted,
        .deleted = deleted->finished,
        .deleting = broke != NULL ? p3_deletion_key(d, broke) : 0,
        .deleting_again = broke != NULL && p3_deletion_broke_before(d, broke),
        .may_pipeline = d->account->connection.engine.pipelining == POP3_PIPELINING_AUTO,
        .out_of_time = out_of_time,
        .pipelined = has_pipelined(p, stage),
        .at_uidl = lists && p3_lister_is_at_uidl(&p->lister),
        .at_spare_list = lists && p3_lister_is_at_spare_list(&p->lister),
        .uidl_refused = p->lister.uidl_refused,
        .top_refused = looks && looked->by_retr != SIZE_MAX && p3_maildrop_can_top(d),
        .at_top = looks && looked->kind == POP3_CMD_TOP && looked->finished < looked->by_retr,
        .none_in_run = p->report.tally.retrieved == 0};
}

void p3_parts_free(p3_parts *p, p3_state *state)
{
    pop3_client_free(p->drop.client);
    p3_transfer_free(&p->transfer);
    p3_leftovers_free(&p->leftovers, !p->recorder.commit_failed);
    if (p->locked)
        p3_state_unlock(state, p->drop.known.id);
    p3_authorization_forget(&p->authorization);
    p3_header_reader_free(&p->header_reader);
    p3_comparer_free(&p->comparer);
    p3_filter_free(&p->filter);
    p3_maildrop_free(&p->drop);
    free(p->choice.mails);
}
