/* What the visits of a run share: opened before the first, closed behind the last. */
#include "collect/run.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Lets the caller give up rights, but for what is left of earlier runs: an account that delivers
 * elsewhere now may have intents at its old target. The state alone is not believed in that: see
 * p3_target_has(). */
static bool confine(const p3_run *run, const p3_account *const *accounts, size_t count,
                    p3_problem *why)
{
    const p3_sync_options *o = run->options;
    size_t found = 0;
    p3_target *old = o->confine != NULL ? calloc(count + 1, sizeof *old) : NULL;
    char **texts = o->confine != NULL ? calloc(count + 1, sizeof *texts) : NULL;
    bool ok = o->confine == NULL || (old != NULL && texts != NULL) ||
              p3_problem_set(why, EX_OSERR, "beginning: out of memory");
    for (size_t i = 0; i < count && ok && o->confine != NULL; i++) {
        const p3_account *a = accounts[i];
        p3_known_account known = {0};
        p3_problem later; /* what cannot be read now is a problem of the account's session */
        if (a->unusable != NULL || !p3_state_account(run->state, a->key, &known, &later))
            continue;
        if (known.target != NULL)
            old[found] = p3_target_of_text(known.target);
        if (known.target != NULL && old[found].kind != P3_TARGET_NONE &&
            !p3_target_equal(&old[found], &a->target) &&
            p3_target_has(&old[found], p3_owner_of(run->owner, a->key))) {
            texts[found++] = known.target;
            known.target = NULL;
        }
        p3_known_account_clear(&known);
    }
    if (ok && o->confine != NULL)
        o->confine(o->confine_ctx, old, found);
    while (found > 0)
        free(texts[--found]);
    free(texts);
    free(old);
    return ok;
}

bool p3_run_begin(p3_run *run, const p3_sync_options *options, const p3_account *const *accounts,
                  size_t count, p3_problem *why)
{
    *run = (p3_run){.options = options, .jobs = p3_jobs_new()};
    if (run->jobs == NULL)
        return p3_problem_set(why, EX_OSERR, "beginning: out of memory or descriptors");
    int error = p3_names_init(&run->names);
    if (error != 0)
        return p3_problem_errno(why, error, "beginning: no random numbers");
    run->state = options->dry_run ? p3_state_open_to_look(options->state, why)
                                  : p3_state_open(options->state, why);
    if (run->state == NULL)
        return false;
    char *real = realpath(options->state, NULL);
    run->owner = real != NULL ? real : strdup(options->state);
    if (run->owner == NULL)
        return p3_problem_set(why, EX_OSERR, "beginning: out of memory");
    if (!confine(run, accounts, count, why))
        return false;
    if (options->dry_run)
        return true;
    run->committer = p3_committer_new(run->jobs, options->state);
    return run->committer != NULL || p3_problem_set(why, EX_OSERR, "beginning: out of memory");
}

void p3_run_end(p3_run *run)
{
    p3_committer_free(run->committer);
    p3_jobs_free(run->jobs);
    p3_state_close(run->state);
    free(run->owner);
    *run = (p3_run){0};
}
