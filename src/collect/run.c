/* What the visits of a run share: opened before the first visit, closed after the last. */
#include "collect/run.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Earlier targets of accounts, and the texts that they point into. */
typedef struct p3_old_targets {
    p3_target *at;
    size_t count;
    p3_room room;
    char **texts;
    size_t text_count;
    p3_room text_room;
} p3_old_targets;

static bool add_one(p3_old_targets *o, const p3_target *t)
{
    if (!p3_grow(&o->at, &o->room, o->count + 1, sizeof *o->at))
        return false;
    o->at[o->count++] = *t;
    return true;
}

static bool has_now(const p3_target *now, const p3_target *old)
{
    size_t count;
    bool found = false;
    const p3_target *at = p3_target_members(now, &count);
    for (size_t i = 0; i < count && !found; i++)
        found = p3_target_equal(old, &at[i]);
    return found;
}

/* Adds earlier targets of an account that carry its mark. Takes over the text. */
static bool add_old(p3_old_targets *o, const p3_target *now, p3_owner owner, char *text)
{
    p3_target old[P3_TARGETS_MOST];
    size_t before = o->count;
    size_t count = p3_targets_of_text(text, old);
    bool ok = p3_grow(&o->texts, &o->text_room, o->text_count + 1, sizeof *o->texts);
    for (size_t i = 0; i < count && ok; i++) {
        if (old[i].kind != P3_TARGET_NONE && !has_now(now, &old[i]) &&
            p3_target_has(&old[i], owner))
            ok = add_one(o, &old[i]);
    }
    if (o->count > before)
        o->texts[o->text_count++] = text;
    else
        free(text);
    return ok;
}

/* Calls `confine` with what is left of earlier runs: an account whose target has changed may have
 * intents at the old one. The state alone is not trusted for that: see p3_target_has(). */
static bool confine(const p3_run *run, const p3_account *const *accounts, size_t count,
                    p3_problem *why)
{
    const p3_sync_options *o = run->options;
    p3_old_targets old = {0};
    bool ok = true;
    for (size_t i = 0; i < count && ok && o->confine != NULL; i++) {
        const p3_account *a = accounts[i];
        p3_known_account known = {0};
        p3_problem later; /* what cannot be read now is reported by the account's visit */
        if (a->unusable != NULL || !p3_state_account(run->state, a->key, &known, &later))
            continue;
        if (known.target != NULL)
            ok = add_old(&old, &a->target, p3_owner_of(run->owner, a->key), known.target) ||
                 p3_problem_set(why, EX_OSERR, "beginning: out of memory");
        known.target = NULL;
        p3_known_account_clear(&known);
    }
    if (ok && o->confine != NULL)
        o->confine(o->confine_ctx, old.at, old.count);
    while (old.text_count > 0)
        free(old.texts[--old.text_count]);
    free(old.texts);
    free(old.at);
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
    p3_jobs_free(run->jobs);
    p3_committer_free(run->committer);
    p3_state_close(run->state);
    free(run->owner);
    *run = (p3_run){0};
}
