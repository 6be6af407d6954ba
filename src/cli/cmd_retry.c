/* pop3 retry: delivers permanently refused messages again. */
#include "cli/command.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/chosen_accounts.h"
#include "cli/output.h"
#include "cli/remembered_traits.h"
#include "cli/sandbox.h"
#include "deliver/retry.h"
#include "deliver/target_rows.h"
#include "settings/text.h"
#include "state/state.h"

/* The result of an account. */
typedef struct p3_retry_result {
    const p3_account *account;
    size_t delivered;
    size_t left;
    int status;
    bool looks;
    bool quiet;
} p3_retry_result;

static void print_retried(void *ctx, const p3_retried *m)
{
    p3_retry_result *r = ctx;
    const char *name = r->account->name;
    if (m->name == NULL) {
        r->status = p3_exit_of_both(r->status, p3_print_problem(name, m->problem));
        return;
    }
    r->delivered += m->delivered;
    r->left += !m->delivered;
    if (m->problem != NULL) {
        p3_print(stderr, "pop3: %s: %s: %s\n", name, m->name, m->problem->text);
        if (!m->delivered)
            r->status = p3_exit_of_both(r->status, m->problem->exit);
    }
    if (r->looks)
        p3_print(stdout, "%s: would deliver %s (%s)\n", name, m->name, m->note);
}

/* The Maildir of a target's refused messages; NULL: none. */
static const char *refused_of(const p3_envelope *envelope)
{
    const char *path = envelope->refused;
    return path != NULL && access(path, F_OK) == 0 ? path : NULL;
}

/* Whether a setting names it. */
static bool has_fallback(const p3_local_account *a)
{
    p3_settings set;
    p3_packed_settings_view(a->settings, &set);
    return set.fallback.where != NULL;
}

/* Delivers the messages when the account is locked. Evidence about messages of a killed sync,
 * beside some targets, is kept for the next sync. */
static bool retry_all(p3_retry *retry, p3_state *state, int64_t account, p3_problem *why)
{
    p3_rows rows = {0};
    const p3_target_row *row = p3_target_row_of(retry->target.kind);
    if (row == NULL || !row->opens_beside)
        return p3_retry_all(retry, why);
    if (!p3_state_load(state, account, &rows, why))
        return false;
    const char **names = calloc(rows.count + 1, sizeof *names);
    for (size_t i = 0; names != NULL && i < rows.count; i++) {
        if (p3_is_intent(rows.at[i].standing))
            names[retry->intent_count++] = rows.at[i].name;
    }
    retry->intents = names;
    bool ok = names != NULL ? p3_retry_all(retry, why) : p3_problem_memory(why);
    free(names);
    p3_rows_free(&rows);
    return ok;
}

/* The owner for an account. */
static p3_owner owner_of(const p3_local_account *a, const char *state_path)
{
    char *real = realpath(state_path, NULL);
    p3_owner owner = p3_owner_of(real != NULL ? real : state_path, a->account.key);
    free(real);
    return owner;
}

/* Delivers the refused messages of one target. */
static bool deliver(const p3_local_account *a, const p3_target *target, p3_state *state,
                    const char *state_path, p3_retry_result *result, p3_problem *why)
{
    p3_known_account known = {0};
    p3_envelope envelope = *target->envelope;
    bool crlf = p3_target_row_of(target->kind) != NULL && p3_target_row_of(target->kind)->crlf;
    p3_retry retry = {.maildir = envelope.refused,
                      .is_shared = has_fallback(a),
                      .target = *target,
                      .owner = owner_of(a, state_path),
                      .line_ends = crlf ? P3_LINES_CRLF : a->account.line_ends,
                      .looks = result->looks,
                      .tell = print_retried,
                      .ctx = result};
    envelope.aside = envelope.refused;
    envelope.refused = NULL; /* they are there already */
    retry.target.envelope = &envelope;
    if (state == NULL || result->looks)
        return p3_retry_all(&retry, why);
    bool ok =
        p3_state_account(state, a->account.key, &known, why) && p3_state_lock(state, known.id, why);
    if (ok) {
        ok = retry_all(&retry, state, known.id, why);
        p3_state_unlock(state, known.id);
    }
    p3_known_account_clear(&known);
    return ok;
}

static int deliver_one(const p3_local_account *a, const p3_target *target, p3_state *state,
                       const char *state_path, const p3_arguments *args)
{
    p3_problem why;
    p3_retry_result result = {
        .account = &a->account, .looks = args->run.dry_run, .quiet = args->run.quiet};
    const char *refused = target->envelope != NULL ? refused_of(target->envelope) : NULL;
    bool several = a->account.target.kind == P3_TARGET_SEVERAL;
    bool ok = refused == NULL || deliver(a, target, state, state_path, &result, &why);
    if (!result.looks && !result.quiet)
        p3_print(stdout, "%s%s%s: %zu message%s delivered that had been refused%s", a->account.name,
                 several ? ": " : "", several ? p3_target_row_of(target->kind)->name : "",
                 result.delivered, result.delivered == 1 ? "" : "s", result.left > 0 ? "" : "\n");
    if (!result.looks && !result.quiet && result.left > 0)
        p3_print(stdout, "; %zu left in %s\n", result.left, refused);
    return ok ? result.status : p3_print_problem(a->account.name, &why);
}

/* Delivers the refused messages of all targets of an account. */
static int deliver_account(const p3_local_account *a, p3_state *state, const char *state_path,
                           const p3_arguments *args)
{
    size_t count;
    int status = EX_OK;
    const p3_target *at = p3_target_members(&a->account.target, &count);
    if (a->account.unusable != NULL)
        return p3_print_problem(a->account.name, a->account.unusable);
    for (size_t i = 0; i < count; i++) {
        if (at[i].envelope != NULL || count == 1)
            status = p3_exit_of_both(status, deliver_one(a, &at[i], state, state_path, args));
    }
    return status;
}

static int deliver_all(const p3_chosen *chosen, p3_state *state, const char *state_path,
                       const p3_arguments *a)
{
    int status = EX_OK;
    for (size_t i = 0; i < chosen->count; i++)
        status = p3_exit_of_both(status, deliver_account(&chosen->at[i], state, state_path, a));
    return status;
}

/* The number of messages with an account's mark in a directory of a Maildir. */
static size_t count_in(const char *maildir, const char *name, p3_owner owner)
{
    size_t count = 0;
    const struct dirent *e;
    char *path = p3_text_join(maildir, name, NULL);
    DIR *dir = path != NULL ? opendir(path) : NULL;
    while (dir != NULL && (e = readdir(dir)) != NULL)
        count += p3_names_carry(e->d_name, owner.mark);
    if (dir != NULL)
        (void)closedir(dir);
    free(path);
    return count;
}

/* Reports messages in a Maildir that belongs to none of the account's targets. */
static int tell_of_others(const p3_local_account *a, const char *maildir, const char *where,
                          p3_owner owner)
{
    p3_problem why;
    size_t count = count_in(maildir, "/new", owner) + count_in(maildir, "/cur", owner);
    if (count == 0)
        return EX_OK;
    p3_problem_set(&why, EX_CONFIG,
                   "%zu message%s in %s, refused when the account had other targets, %s not "
                   "retried; to have that done, move the files into new/ in %s",
                   count, count == 1 ? "" : "s", maildir, count == 1 ? "is" : "are", where);
    return p3_print_problem(a->account.name, &why);
}

/* The targets of a list have a Maildir each, below that of a single target: reports messages in
 * those that belong to no present target. */
static int look_at_others(const p3_local_account *a, const char *state_path)
{
    size_t count;
    int status = EX_OK;
    const p3_target *at = p3_target_members(&a->account.target, &count);
    bool several = a->account.target.kind == P3_TARGET_SEVERAL;
    const char *refused = several ? NULL : a->envelope->refused;
    p3_members all = several ? p3_target_all(&a->account.target) : 0;
    p3_owner owner = owner_of(a, state_path);
    for (size_t i = 0; i < count && refused == NULL; i++)
        refused = at[i].envelope != NULL ? at[i].envelope->refused : NULL;
    size_t len = refused == NULL ? 0 : strlen(refused);
    char *base = strndup(refused != NULL ? refused : "",
                         several && len > 0 ? (size_t)(strrchr(refused, '/') - refused) : len);
    if (base != NULL && several && len > 0)
        status = tell_of_others(a, base, refused, owner);
    for (size_t i = 0; base != NULL && len > 0 && i < p3_target_row_count; i++) {
        const p3_target_row *row = &p3_target_rows[i];
        char *below = p3_text_join(base, "/.", row->name, NULL);
        if (below != NULL && (all & P3_MEMBER(row->kind)) == 0)
            status = p3_exit_of_both(status, tell_of_others(a, below, refused, owner));
        free(below);
    }
    free(base);
    return status;
}

/* Finds the Maildirs: also for accounts whose target refuses nothing, because they may have had
 * another one. */
static bool find_refused(p3_chosen *chosen, const char *state, p3_problem *why)
{
    for (size_t i = 0; i < chosen->count; i++) {
        p3_local_account *a = &chosen->at[i];
        if (a->account.unusable != NULL)
            continue;
        if (a->envelope == NULL)
            a->envelope = calloc(1, sizeof *a->envelope);
        if (a->account.target.kind != P3_TARGET_SEVERAL)
            a->account.target.envelope = a->envelope;
        if (a->envelope == NULL || !p3_local_account_set_refused(a, state))
            return p3_problem_set(why, EX_OSERR, "beginning: out of memory");
        if (a->account.target.kind != P3_TARGET_SEVERAL && refused_of(a->envelope) == NULL)
            a->account.target.envelope = NULL; /* nothing is created for it */
    }
    return true;
}

static int retry_accounts(p3_arguments *a, p3_chosen *chosen)
{
    p3_problem why = {0};
    bool usual;
    p3_state *state = NULL;
    char *path = p3_state_path(a, &usual);
    if (path == NULL) {
        p3_problem_set(&why, EX_CONFIG, "HOME is not set: say where the state is with --state");
        return p3_print_problem(NULL, &why);
    }
    bool ok = find_refused(chosen, path, &why);
    int status = EX_OK;
    for (size_t i = 0; ok && i < chosen->count; i++) {
        if (chosen->at[i].account.unusable == NULL)
            status = p3_exit_of_both(status, look_at_others(&chosen->at[i], path));
    }
    p3_sandbox sandbox = {.chosen = chosen,
                          .state = path,
                          .delivers = true,
                          .dry_run = a->run.dry_run,
                          .is_told = a->run.verbose,
                          .off = !a->run.sandbox};
    p3_sandbox_prepare(&sandbox);
    if (ok && access(path, F_OK) == 0) /* an account that was never collected needs no lock */
        ok = (state = p3_state_open(path, &why)) != NULL;
    if (ok)
        p3_sandbox_enter(&sandbox, NULL, 0);
    status = p3_exit_of_both(status, ok ? deliver_all(chosen, state, path, a)
                                        : p3_print_problem(NULL, &why));
    p3_state_close(state);
    p3_sandbox_end(&sandbox);
    free(path);
    return status;
}

int p3_cmd_retry(p3_arguments *a)
{
    return p3_chosen_deliver(a, retry_accounts);
}
