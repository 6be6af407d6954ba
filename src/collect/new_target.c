/* A changed target. The rows of an account say what its old target has; only the user knows whether
 * the new one has it too. */
#include "collect/new_target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "support/wording.h"

/* Whether any row is of a message that another target has, or that is not delivered anywhere.
 * Intents do not count, unless some targets of a list have the message, or one may have it: other
 * messages are simply delivered to the new target. */
static bool has_past(const p3_rows *rows)
{
    bool any = false;
    for (size_t i = 0; i < rows->count && !any; i++) {
        p3_standing is = rows->at[i].standing;
        any = is == P3_DELIVERED || is == P3_LEAVING || is == P3_DOUBTED || is == P3_UNPROVEN ||
              is == P3_PASSED_OVER || rows->at[i].members != 0;
    }
    return any;
}

/* Makes one line of the text of a target or a list. */
static void make_line(char *text)
{
    for (char *at = strchr(text, '\n'); at != NULL; at = strchr(at, '\n')) {
        if (at[1] == '\n')
            memcpy(at, ", ", 2);
        else
            *at = ' ';
    }
}

/* The text of the old target belongs to the caller, and is modified. */
static bool explain_choice(char *before, const p3_target *now, p3_problem *why)
{
    char *after = p3_target_text(now);
    const char *how =
        p3_in_command("you run it once with --from-now-on (mail that is on the server "
                      "counts as seen), --from-the-start (all of it is delivered), "
                      "or --continue (what was delivered there counts as delivered "
                      "here)");
    make_line(before);
    if (after != NULL)
        make_line(after);
    p3_problem_set(
        why, EX_CONFIG,
        "delivering to %.160s: earlier mail of this account was delivered to %.160s; "
        "nothing is done until %s",
        after != NULL ? after : "another target", before,
        how[0] != '\0' ? how : "the option `start` of the visit says what counts as delivered");
    free(after);
    return false;
}

bool p3_new_target_judge(p3_maildrop *d, p3_problem *why)
{
    const p3_target *now = &d->account->target;
    p3_target old[P3_TARGETS_MOST];
    if (d->known.target == NULL) /* nothing has been delivered */
        return true;
    char *text = strdup(d->known.target);
    char *shown = strdup(d->known.target);
    bool known = text != NULL && shown != NULL;
    if (known) {
        d->stays = p3_target_known(old, p3_targets_of_text(text, old), now);
        d->moved = d->stays != p3_target_all(now);
        known = !d->moved || d->report->options->start != P3_START_USUAL || !has_past(&d->rows) ||
                explain_choice(shown, now, why);
    } else {
        p3_problem_memory(why);
    }
    free(text);
    free(shown);
    return known;
}

/* A message that remaining members of the list have: the others are to get it. */
static bool is_for_others(const p3_maildrop *d, const p3_row *row)
{
    return d->stays != 0 && row->uid.len > 0 &&
           (row->standing == P3_DELIVERED || row->standing == P3_LEAVING ||
            (p3_is_intent(row->standing) && row->members != 0));
}

/* Forgets all rows except those of messages that remaining targets have. */
static void forget_all(const p3_maildrop *d, p3_rows *rows, p3_changes *changes)
{
    size_t left = 0;
    for (size_t i = 0; i < rows->count; i++) {
        p3_row *row = &rows->at[i];
        bool others = is_for_others(d, row);
        if (others && !p3_is_intent(row->standing)) {
            row->standing = P3_INTENT;
            row->members = d->stays;
            row->name = "";
            row->tries = 0;
        }
        p3_change *change = p3_changes_add(changes, row);
        if (change != NULL)
            change->forget = !others;
        if (others)
            rows->at[left++] = *row;
    }
    rows->count = left; /* ids are not reused, and the memory that rows point to is kept */
}

/* Updates intents whose messages removed targets may have had. */
static void note_intents(const p3_rows *rows, p3_changes *changes)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (p3_is_intent(rows->at[i].standing))
            (void)p3_changes_add(changes, &rows->at[i]);
    }
}

bool p3_new_target_take_over(p3_recorder *r)
{
    p3_maildrop *d = r->drop;
    p3_start start = d->report->options->start;
    p3_commit what = {.target = &d->account->target, .reached = "taken-over"};
    if (!d->moved || start == P3_START_USUAL || start == P3_START_NOW)
        return true;
    if (start == P3_START_FROM_THE_START)
        forget_all(d, &d->rows, &what.changes);
    else
        note_intents(&d->rows, &what.changes);
    if (d->report->options->dry_run) {
        p3_changes_free(&what.changes);
        return true;
    }
    return p3_recorder_add(r, what, NULL, NULL);
}
