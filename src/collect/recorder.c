/* Hands records of an account to the committer. */
#include "collect/recorder.h"

#include <stdlib.h>
#include <time.h>

#include "collect/choice.h"

/* A pending commit of changes only. */
typedef struct p3_recording {
    p3_commit commit;
    p3_recorder *recorder;
    p3_recorded_fn done;
    void *ctx;
} p3_recording;

static void recorded(p3_job *job)
{
    p3_recording *g = (p3_recording *)job;
    p3_recorder *r = g->recorder;
    r->pending--;
    if (g->commit.problem.exit != 0)
        p3_maildrop_failed(r->drop, &g->commit.problem);
    if (g->done != NULL)
        g->done(g->ctx, &g->commit.problem);
    p3_changes_free(&g->commit.changes);
    free(g);
    p3_maildrop_advance(r->drop);
}

bool p3_recorder_add(p3_recorder *r, p3_commit what, p3_recorded_fn done, void *ctx)
{
    p3_recording *g = what.changes.failed ? NULL : calloc(1, sizeof *g);
    if (g == NULL) {
        p3_changes_free(&what.changes);
        p3_maildrop_failed_memory(r->drop);
        return false;
    }
    *g = (p3_recording){.commit = what, .recorder = r, .done = done, .ctx = ctx};
    g->commit.job.over = recorded;
    g->commit.account = r->drop->known.id;
    g->commit.commit_failed = &r->commit_failed;
    r->pending++;
    p3_committer_add(r->committer, &g->commit);
    return true;
}

void p3_recorder_add_changes(p3_recorder *r, p3_changes changes, const char *reached)
{
    p3_commit what = {.changes = changes, .reached = reached};
    if (changes.count > 0 || changes.failed)
        (void)p3_recorder_add(r, what, NULL, NULL);
}

void p3_recorder_add_row(p3_recorder *r, const p3_row *row)
{
    p3_changes changes = {0};
    (void)p3_changes_add(&changes, row);
    p3_recorder_add_changes(r, changes, NULL);
}

void p3_recorder_set_back(p3_recorder *r, p3_mail *mail, bool certain, const p3_problem *why)
{
    p3_row *row = p3_maildrop_row(r->drop, mail);
    p3_report_failed(r->drop->report, mail, why);
    p3_count_trouble(row, certain);
    p3_recorder_add_row(r, row);
}

void p3_recorder_change(p3_recorder *r, p3_changes *changes, const p3_mail *mail,
                        p3_standing standing)
{
    p3_row *row = p3_maildrop_row(r->drop, mail);
    row->standing = standing;
    if (standing == P3_GONE) {
        row->time = time(NULL);
        row->broke = 0;
    }
    row->uid = mail->uid;
    row->name = "";
    (void)p3_changes_add(changes, row);
}
