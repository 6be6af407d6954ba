/* An account's turns in a run. */
#include "collect/turns.h"

#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

/* A visit that could not even begin its work says less than the one that it was to go on for. */
static void keep_loss(p3_turns *t, const p3_visit *v)
{
    const p3_verdict *verdict = p3_visit_verdict(v);
    bool worked = p3_visit_has_listed(v) || verdict->adapted;
    t->problem = verdict->problem;
    if (!worked && t->problem.exit != 0 && t->lost.exit != 0)
        p3_problem_set(&t->problem, verdict->problem.exit, "%.360s; then, coming back: %.360s",
                       t->lost.text, verdict->problem.text);
    else if (worked)
        t->lost = verdict->problem;
}

p3_again p3_turns_after(p3_turns *t, const p3_visit *v, const p3_sync_options *options,
                        bool stopped, int64_t *wait_ms)
{
    const p3_verdict *verdict = p3_visit_verdict(v);
    p3_history before = t->history;
    p3_tally *after = &t->history.tally;
    keep_loss(t, v);
    p3_visit_history(v, &t->history);
    bool another_way = verdict->adapted || t->history.trust.care > before.trust.care;
    bool ended_early = verdict->more && after->deleted > before.tally.deleted;
    bool goes_on =
        p3_attempts_again(&t->attempts, &before.tally, after, another_way || ended_early);
    if (stopped)
        return P3_AGAIN_NO;
    p3_again again =
        p3_verdict_next(verdict, goes_on, options->retry_ms, options->retries, &t->waits, wait_ms);
    if (again != P3_AGAIN_NO) /* what failed is tried again, and counted again if so */
        after->failed = after->unseen = after->skipped = 0;
    return again;
}

p3_problem p3_turns_problem(const p3_turns *t)
{
    const p3_tally *tally = &t->history.tally;
    char failed[80] = "";
    char unseen[120] = "";
    p3_problem problem = t->problem;
    if (tally->failed > 0)
        snprintf(failed, sizeof failed, "could not be retrieved or delivered: %" PRIu64,
                 tally->failed);
    if (tally->unseen > 0)
        snprintf(unseen, sizeof unseen,
                 "could not be compared with the mail that was delivered before: %" PRIu64,
                 tally->unseen);
    if (problem.exit == 0 && (tally->failed > 0 || tally->unseen > 0))
        p3_problem_set(&problem, EX_TEMPFAIL,
                       "%s%s%s; what is on the server stays there and is tried again in the next "
                       "run",
                       failed, tally->failed > 0 && tally->unseen > 0 ? ", " : "", unseen);
    return problem;
}
