/* Hands records of an account to the committer, and knows what has not been recorded yet. */
#ifndef P3_COLLECT_RECORDER_H
#define P3_COLLECT_RECORDER_H

#include "collect/committer.h"
#include "collect/maildrop.h"

typedef void (*p3_recorded_fn)(void *ctx, const p3_problem *problem);

typedef struct p3_recorder {
    p3_committer *committer; /* NULL in a dry run: nothing is recorded */
    p3_maildrop *drop;
    unsigned pending;   /* commits handed in and not completed */
    bool commit_failed; /* for the committer, see p3_commit */
} p3_recorder;

/* Hands in a commit, of which the changes, the target and so on are set; takes ownership of the
 * changes. done(), if not NULL, is called when it has been recorded, or with the problem, which
 * ends the visit. Returns false when out of memory, now or while the changes were gathered; that is
 * reported like a problem, but not to done(). */
bool p3_recorder_add(p3_recorder *r, p3_commit what, p3_recorded_fn done, void *ctx);

/* Hands in changes, if there are any. `reached` names the crash point. */
void p3_recorder_add_changes(p3_recorder *r, p3_changes changes, const char *reached);

/* The same for one row in its present form. */
void p3_recorder_add_row(p3_recorder *r, const p3_row *row);

/* A message was not received or could not be stored: it stays on the server, and is retrieved last
 * next time. `certain`: the message itself is to blame. */
void p3_recorder_set_back(p3_recorder *r, p3_mail *mail, bool certain, const p3_problem *why);

/* Adds a change of a message's standing. */
void p3_recorder_change(p3_recorder *r, p3_changes *changes, const p3_mail *mail,
                        p3_standing standing);

#endif
