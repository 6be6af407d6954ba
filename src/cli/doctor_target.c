/* `pop3 doctor`: checks the targets of an account. */
#include "cli/doctor_target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/doctor_tokens.h"
#include "cli/doctor_finding.h"
#include "cli/multidrop.h"
#include "deliver/gmail_labels.h"

static void print_finding(void *ctx, bool is_note, const char *text)
{
    p3_finding(is_note ? "note" : "ok", ctx, "%s", text);
}

/* Checks the tokens for logging in to a target. */
static bool check_tokens(const p3_local_account *a, p3_target_kind kind, const char *what,
                         p3_problem *why)
{
    const p3_secret_source *source;
    bool ok = true;
    for (size_t i = 0; ok && (source = p3_local_account_target_secret(a, i)) != NULL; i++) {
        if (source->kind == kind)
            ok = p3_doctor_tokens_of(source, what, why);
    }
    return ok;
}

static bool check_gmail(const p3_target *t, const char *what, p3_problem *why)
{
    if (!p3_gmail_try(t->where, t->envelope->gmail, why))
        return false;
    p3_finding("ok", what, "Google answers for %s", t->where);
    return true;
}

/* A missing file or directory is created by the first run. */
static bool check_path(const char *path, const char *what, p3_problem *why)
{
    if (access(path, W_OK) == 0)
        p3_finding("ok", what, "%s can be written", path);
    else if (errno == ENOENT)
        p3_finding("note", what, "%s does not exist; the first run creates it", path);
    else
        return p3_problem_errno(why, errno, "%s", path);
    return true;
}

/* Checks the place of a target, and each folder in the table. */
static bool check_places(const p3_target *t, const char *what, p3_problem *why)
{
    bool ok = true;
    char *where;
    for (size_t i = 0; ok && (where = p3_target_place(t, i)) != NULL; i++) {
        ok = check_path(where, what, why);
        free(where);
    }
    return ok;
}

/* Checks a target with the account's table, which has not been read yet: `trial` checks the server
 * of a target. */
static bool check_place(const p3_local_account *a, const p3_target *t, const p3_trial *trial,
                        const char *what, p3_problem *why)
{
    const p3_target_row *row = p3_target_row_of(t->kind);
    p3_envelope envelope = t->envelope != NULL ? *t->envelope : (p3_envelope){0};
    p3_target now = *t;
    p3_settings set;
    size_t count;
    const p3_target *all = p3_target_members(&a->account.target, &count);
    p3_packed_settings_view(a->settings, &set);
    if (!p3_multidrop_make(&envelope.map, &set, all, count, why))
        return false;
    now.envelope = &envelope;
    bool ok = row->form == P3_TARGET_PATH ? check_places(&now, what, why)
                                          : row->trial(t->where, &envelope, trial, why);
    p3_recipients_free(envelope.map);
    return ok;
}

static int check_target(const p3_local_account *a, const p3_target *t)
{
    const p3_target_row *row = p3_target_row_of(t->kind);
    const char *what = row->title;
    const p3_trial trial = {.tell = print_finding, .ctx = (void *)(uintptr_t)what};
    p3_problem why = {0};
    bool ok = check_tokens(a, t->kind, what, &why);
    if (ok && t->kind == P3_TARGET_GMAIL)
        ok = check_gmail(t, what, &why);
    else if (ok && (row->form == P3_TARGET_PATH || row->trial != NULL))
        ok = check_place(a, t, &trial, what, &why);
    if (!ok)
        p3_finding("BAD", what, "%s", why.text);
    return ok ? EX_OK : why.exit;
}

int p3_doctor_target(const p3_local_account *a)
{
    int status = EX_OK;
    size_t count;
    const p3_target *at = p3_target_members(&a->account.target, &count);
    for (size_t i = 0; i < count; i++)
        status = p3_exit_of_both(status, check_target(a, &at[i]));
    return status;
}
