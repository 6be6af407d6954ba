/* The visits to an account in a run. */
#include "collect/next_visit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* A visit that failed before the listing says less than the one that it followed. */
static void keep_loss(p3_next_visit *t, const p3_visit *v)
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

p3_again p3_next_visit_decide(p3_next_visit *t, const p3_visit *v, const p3_sync_options *options,
                              bool stopped, int64_t *wait_ms)
{
    const p3_verdict *verdict = p3_visit_verdict(v);
    p3_history before = t->history;
    p3_tally *after = &t->history.tally;
    keep_loss(t, v);
    p3_visit_history(v, &t->history);
    bool another_way = verdict->adapted || t->history.trust.caution > before.trust.caution;
    bool ended_early = verdict->more && after->deleted > before.tally.deleted;
    bool goes_on =
        p3_retry_limit_allows(&t->attempts, &before.tally, after, another_way || ended_early);
    if (stopped)
        return P3_AGAIN_NO;
    p3_again again =
        p3_verdict_next(verdict, goes_on, options->retry_ms, options->retries, &t->waits, wait_ms);
    if (again != P3_AGAIN_NO) /* failures are counted again in the next visit */
        after->failed = after->unseen = after->undeleted = after->skipped = 0;
    return again;
}

/* Appends what could not be done with how many messages, if any. */
static void add_rest(char *text, size_t size, const char *what, uint64_t count)
{
    size_t len = strlen(text);
    if (count > 0)
        snprintf(text + len, size - len, "%s%s: %" PRIu64, len > 0 ? ", " : "", what, count);
}

p3_problem p3_next_visit_problem(const p3_next_visit *t)
{
    const p3_tally *tally = &t->history.tally;
    p3_problem problem = t->problem;
    char rest[300] = "";
    add_rest(rest, sizeof rest, "could not be retrieved or delivered", tally->failed);
    add_rest(rest, sizeof rest, "could not be compared with the mail that was delivered before",
             tally->unseen);
    add_rest(rest, sizeof rest, "could not be deleted on the server", tally->undeleted);
    if (problem.exit == 0 && rest[0] != '\0')
        p3_problem_set(&problem, EX_TEMPFAIL,
                       "%s; the mail stays on the server, and the next run tries again", rest);
    return problem;
}
