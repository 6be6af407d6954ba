/* The outcome of a visit. */
#include "collect/outcome.h"

#include <sysexits.h>

#include "collect/failure_text.h"
#include "support/wording.h"

void p3_outcome_begin(p3_outcome *o, const p3_trust *trust)
{
    *o = (p3_outcome){.trust = trust, .next = *trust};
}

void p3_outcome_learn(p3_outcome *o, p3_parts *p, pop3_server_traits learned)
{
    learned = pop3_server_traits_beyond(learned, p->drop.known.traits);
    if (pop3_server_traits_empty(learned))
        return;
    pop3_server_traits_add(&p->drop.known.traits, learned);
    pop3_server_traits_add(&o->next.traits, learned);
    if (!p->report.options->dry_run)
        (void)p3_recorder_add(&p->recorder, (p3_commit){.learned = learned}, NULL, NULL);
}

/* Whether another visit may get further than the one that was lost. */
static bool is_worth_another(const p3_outcome *o, p3_stage stage, const p3_problem *why)
{
    return o->verdict.adapted || stage == P3_STAGE_RETRIEVAL || p3_stage_looks(stage) ||
           (stage >= P3_STAGE_LISTING && why->exit == EX_TEMPFAIL);
}

/* Whether the next visit should send one command at a time, because the server mixes up commands.
 */
static bool is_mixed_up(const p3_outcome *o, const p3_parts *p, const p3_evidence *e)
{
    bool nonsense = e->status == POP3_ERR_PROTOCOL || e->status == POP3_ERR_LIMIT;
    bool optional = e->stage == P3_STAGE_LISTING && p->lister.list_with_uidl && !o->verdict.adapted;
    return (optional && (nonsense || e->status == POP3_ERR_TIMEOUT)) ||
           (nonsense && p3_stage_looks(e->stage));
}

/* Appends to the reason of a loss what was not done, and what may help. */
static void add_advice(const p3_outcome *o, const p3_parts *p, const p3_evidence *e,
                       p3_problem *why)
{
    pop3_client *client = p->drop.client;
    if (e->stage == P3_STAGE_QUIT && p->transfer.deleter.window.count > 0)
        p3_problem_set(
            why, EX_TEMPFAIL,
            "%s: the deletion of %llu messages was not confirmed; the next run finds out",
            pop3_client_error(client)->message, (unsigned long long)pop3_client_deletions(client));
    const char *advice = p3_trust_advice(o->trust, &o->next, e, o->verdict.adapted);
    p3_problem plain = *why;
    if (advice != NULL && p3_in_command(advice)[0] != '\0')
        p3_problem_set(why, plain.exit, "%.700s; %s", plain.text, p3_in_command(advice));
}

/* A login that the server refused temporarily is tried later, possibly at an announced time. */
static void note_refusal(p3_outcome *o, const p3_parts *p, const p3_evidence *e)
{
    if (e->stage != P3_STAGE_LOGIN)
        return;
    o->verdict.wait_ms = (int64_t)pop3_client_error(p->drop.client)->login_delay * 1000;
    if (p3_is_for_later(p->drop.client, e->status))
        p3_verdict_ask(&o->verdict, P3_AGAIN_LATER);
}

void p3_outcome_of_loss(p3_outcome *o, p3_parts *p, p3_stage stage, pop3_status status,
                        bool out_of_time, p3_problem *why)
{
    pop3_server_traits taught = {0};
    p3_describe_failure_of(p->drop.client, p->drop.account, status, why);
    pop3_server_traits found =
        pop3_server_traits_beyond(p3_authorization_traits(&p->authorization), p->drop.known.traits);
    p3_outcome_learn(o, p, found);
    p3_evidence e = p3_parts_evidence(p, stage, status, out_of_time);
    o->verdict.adapted = (found.flags & POP3_TRAIT_NO_LATE_CAPA) != 0 ||
                         p3_trust_adapt(o->trust, &o->next, &e, &taught);
    p3_outcome_learn(o, p, taught);
    if (e.deleting != 0 && o->next.blame != P3_BLAME_NONE)
        p3_deleter_remember(&p->transfer.deleter, &p->recorder, o->next.blame);
    bool mixed_up = is_mixed_up(o, p, &e);
    bool again = is_worth_another(o, stage, why) || mixed_up;
    add_advice(o, p, &e, why);
    if (mixed_up)
        p3_trust_raise(&o->next, P3_CAUTION_STEPS);
    if (stage >= P3_STAGE_RETRIEVAL && p3_retriever_is_out_of_step(&p->transfer.retriever, status))
        p3_outcome_fall_out_of_step(o);
    if (p->transfer.retriever.blamed)
        p3_trust_raise(&o->next, P3_CAUTION_TROUBLE);
    note_refusal(o, p, &e);
    if (again && !out_of_time)
        p3_verdict_ask(&o->verdict, P3_AGAIN_NOW);
}

void p3_outcome_spare_trouble(p3_outcome *o)
{
    p3_verdict_ask(&o->verdict, P3_AGAIN_NOW);
    p3_trust_raise(&o->next, P3_CAUTION_TROUBLE);
}

void p3_outcome_set_aside(p3_outcome *o, uint32_t number)
{
    if (p3_trust_set_aside(&o->next, number))
        p3_verdict_ask(&o->verdict, P3_AGAIN_NOW);
}

void p3_outcome_fall_out_of_step(p3_outcome *o)
{
    o->out_of_step = true;
    p3_trust_raise(&o->next, P3_CAUTION_STEPS);
}
