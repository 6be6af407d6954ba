/* Hands in what is to be recorded of an account, and knows what has not been recorded yet. */
#ifndef P3_COLLECT_RECORDER_H
#define P3_COLLECT_RECORDER_H

#include "collect/committer.h"
#include "collect/maildrop.h"

typedef struct p3_recorder {
    p3_committer *committer; /* NULL in a dry run: nothing is recorded */
    p3_maildrop *drop;
    unsigned pending; /* handed in and not over */
    bool poisoned;    /* the committer's, see p3_commit */
} p3_recorder;

/* Hands something in, of which the rows, the target and the like are set: takes ownership of its
 * changes. Where `reaches` is not NULL, it becomes `value` once that is recorded. Returns false
 * when out of memory, which is told. */
bool p3_recorder_add(p3_recorder *r, p3_commit what, size_t *reaches, size_t value);

/* Hands changes in, or frees them when there are none. `reached` names the fault point. */
void p3_recorder_add_changes(p3_recorder *r, p3_change *changes, size_t count, const char *reached);

/* A message did not come, or could not be kept: it stays on the server, and comes last next time.
 * `certain`: it is to blame for that itself. */
void p3_recorder_set_back(p3_recorder *r, p3_mail *mail, bool certain, const p3_problem *why);

/* A change that makes a message's row what it now is. */
p3_change p3_recorder_change(p3_recorder *r, const p3_mail *mail, p3_standing standing);

#endif
