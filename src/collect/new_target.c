/* A target that has been changed. Everything that is known of an account is of the target that it
 * was delivered to: whether that counts for another one, too, nobody can tell but the user. */
#include "collect/new_target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "support/wording.h"

/* Whether any message is known that another target has, or that is not to be delivered anywhere.
 * Intents are not: what was not delivered comes to the new target as it would have come to the old.
 */
static bool has_past(const p3_rows *rows)
{
    bool any = false;
    for (size_t i = 0; i < rows->count && !any; i++) {
        p3_standing is = rows->at[i].standing;
        any = is == P3_DELIVERED || is == P3_LEAVING || is == P3_DOUBTED || is == P3_PASSED_OVER;
    }
    return any;
}

/* A target for people. NULL when out of memory; free() it. */
static char *name_of(const p3_target *t)
{
    char *text = p3_target_text(t);
    char *line = text != NULL ? strchr(text, '\n') : NULL;
    if (line != NULL)
        *line = ' ';
    return text;
}

static bool ask(const p3_target *old, const p3_target *now, p3_problem *why)
{
    char *before = old->kind != P3_TARGET_NONE ? name_of(old) : strdup(old->where);
    char *after = name_of(now);
    const char *how =
        p3_in_command("you run it once with --from-now-on (mail that is on the server "
                      "counts as seen), --from-the-start (all of it is delivered), "
                      "or --continue (what was delivered there counts as delivered "
                      "here)");
    p3_problem_set(why, EX_CONFIG,
                   "delivering to %.160s: the mail that is known was delivered to %.160s; nothing "
                   "is done until %s",
                   after != NULL ? after : "another target", before != NULL ? before : "another",
                   how[0] != '\0' ? how : "it is chosen what becomes of that");
    free(before);
    free(after);
    return false;
}

bool p3_new_target_judge(p3_maildrop *d, p3_problem *why)
{
    const p3_target *now = &d->account->target;
    char *text = d->known.target != NULL ? strdup(d->known.target) : NULL;
    if (d->known.target != NULL && text == NULL)
        return p3_problem_set(why, EX_OSERR, "out of memory");
    if (text == NULL) /* nothing has been delivered */
        return true;
    p3_target old = p3_target_of_text(text);
    d->moved = !p3_target_is_same_place(&old, now);
    bool known = !d->moved || d->report->options->start != P3_START_USUAL || !has_past(&d->rows);
    if (!known)
        (void)ask(&old, now, why);
    free(text);
    return known;
}

/* Forgets all that is known. */
static p3_change *forget_all(p3_rows *rows, size_t *count)
{
    p3_change *changes = calloc(rows->count + 1, sizeof *changes);
    if (changes == NULL)
        return NULL;
    for (size_t i = 0; i < rows->count; i++)
        changes[i] = (p3_change){.row = rows->at[i], .forget = true};
    *count = rows->count;
    rows->count = 0; /* ids go on, and what they point into stays */
    return changes;
}

bool p3_new_target_take_over(p3_recorder *r)
{
    p3_maildrop *d = r->drop;
    p3_start start = d->report->options->start;
    p3_commit what = {.target = &d->account->target, .reached = "taken-over"};
    if (!d->moved || start == P3_START_USUAL || start == P3_START_NOW)
        return true;
    if (start == P3_START_AFRESH && (what.changes = forget_all(&d->rows, &what.count)) == NULL) {
        p3_maildrop_failed_memory(d);
        return false;
    }
    if (d->report->options->dry_run) {
        free(what.changes);
        return true;
    }
    return p3_recorder_add(r, what, NULL, 0);
}
