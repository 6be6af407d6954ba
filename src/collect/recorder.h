/* Hands in what is to be recorded of an account, and knows what has not been recorded yet. */
#ifndef P3_COLLECT_RECORDER_H
#define P3_COLLECT_RECORDER_H

#include "collect/committer.h"
#include "collect/maildrop.h"

typedef void (*p3_recorded_fn)(void *ctx, const p3_problem *problem);

typedef struct p3_recorder {
    p3_committer *committer; /* NULL in a dry run: nothing is recorded */
    p3_maildrop *drop;
    unsigned pending; /* handed in and not over */
    bool poisoned;    /* the committer's, see p3_commit */
} p3_recorder;

/* Hands something in, of which the changes, the target and the like are set: takes ownership of
 * the changes. done(), if it is not NULL, is told once that is recorded, or what kept it from that,
 * which ends the visit. Returns false when out of memory, now or while the changes were gathered,
 * which is told in the same way, but not to done(). */
bool p3_recorder_add(p3_recorder *r, p3_commit what, p3_recorded_fn done, void *ctx);

/* Hands changes in, if there are any. `reached` names the fault point. */
void p3_recorder_add_changes(p3_recorder *r, p3_changes changes, const char *reached);

/* The same of one row, as it now is. */
void p3_recorder_add_row(p3_recorder *r, const p3_row *row);

/* A message did not come, or could not be kept: it stays on the server, and comes last next time.
 * `certain`: it is to blame for that itself. */
void p3_recorder_set_back(p3_recorder *r, p3_mail *mail, bool certain, const p3_problem *why);

/* Adds that a message stands so from now on, in its row. */
void p3_recorder_change(p3_recorder *r, p3_changes *changes, const p3_mail *mail,
                        p3_standing standing);

#endif
