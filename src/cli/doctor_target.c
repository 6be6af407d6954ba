/* What `pop3 doctor` finds out about the targets of an account. */
#include "cli/doctor_target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/doctor_tokens.h"
#include "cli/finding.h"
#include "cli/multidrop.h"
#include "deliver/gmail_labels.h"

static void tell(void *ctx, bool is_note, const char *text)
{
    p3_finding(is_note ? "note" : "ok", ctx, "%s", text);
}

/* The tokens that a target is logged in to with. */
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

/* A file or directory that is not there is made by the first run. */
static bool check_path(const p3_target *t, const char *what, p3_problem *why)
{
    if (access(t->where, W_OK) == 0)
        p3_finding("ok", what, "%s can be written", t->where);
    else if (errno == ENOENT)
        p3_finding("note", what, "%s is not there, and is made by the first run", t->where);
    else
        return p3_problem_errno(why, errno, "%s", t->where);
    return true;
}

/* A server that mail is sent to. The table of recipients has not been read yet. */
static bool try_server(const p3_local_account *a, const p3_target *t, const p3_trial *trial,
                       p3_problem *why)
{
    const p3_target_row *row = p3_target_row_of(t->kind);
    p3_envelope envelope = *t->envelope;
    p3_settings set;
    p3_packed_settings_view(a->settings, &set);
    if (row->has_recipients && !p3_multidrop_make(&envelope.map, &set, row, why))
        return false;
    bool ok = row->trial(t->where, &envelope, trial, why);
    p3_recipients_free(envelope.map);
    return ok;
}

static int check(const p3_local_account *a, const p3_target *t)
{
    const p3_target_row *row = p3_target_row_of(t->kind);
    const char *what = row->title;
    const p3_trial trial = {.tell = tell, .ctx = (void *)(uintptr_t)what};
    p3_problem why = {0};
    bool ok = check_tokens(a, t->kind, what, &why);
    if (ok && row->form == P3_TARGET_PATH)
        ok = check_path(t, what, &why);
    else if (ok && t->kind == P3_TARGET_GMAIL)
        ok = check_gmail(t, what, &why);
    else if (ok && row->trial != NULL)
        ok = try_server(a, t, &trial, &why);
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
        status = p3_exit_of_both(status, check(a, &at[i]));
    return status;
}
