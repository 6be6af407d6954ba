/* What waits for the disk, in rounds: a thread takes what has been handed in by all accounts since
 * the last one began, and delivers and records it together: one sync of the data, one of each
 * folder, one transaction. */
#ifndef P3_COLLECT_COMMITTER_H
#define P3_COLLECT_COMMITTER_H

#include "deliver/target.h"
#include "collect/jobs.h"
#include "state/state.h"

/* A row as it is to be recorded. */
typedef struct p3_change {
    p3_row row;
    bool forget;             /* take the row away instead */
    const p3_parcel *parcel; /* only if this parcel was delivered, when not NULL */
} p3_change;

/* Those that are gathered. Starts from zero. */
typedef struct p3_changes {
    p3_change *at;
    size_t count;
    p3_room room;
    bool failed; /* there was no memory for one: none of them is to be recorded */
} p3_changes;

/* Adds a row as it now is. Returns its change, to be completed; NULL when out of memory. */
p3_change *p3_changes_add(p3_changes *c, const p3_row *row);

void p3_changes_free(p3_changes *c);

/* What one account hands in: parcels to deliver (or none), then changes to record. */
typedef struct p3_commit p3_commit;
struct p3_commit {
    p3_job job;  /* over() tells the account; set by the caller */
    void *owner; /* the caller's */
    p3_commit *next;
    int64_t account;
    p3_batch batch;
    p3_changes changes;
    const p3_target *target;    /* to be recorded as the account's target, or NULL */
    pop3_server_traits learned; /* to be recorded of its server */
    p3_seen seen;               /* to be recorded of the clock, unless all zero */
    p3_problem problem;         /* result: nothing was recorded, and why */
    bool *poisoned; /* the account's own: set when one of its commits failed; nothing is delivered
                       then, as its intents may be missing. Only the committer looks at it. */
    const char *reached; /* fault point after it is recorded, or NULL */
};

typedef struct p3_committer p3_committer;

/* Opens the state file at `path` when something is handed in for the first time: most runs find
 * nothing new. `path` must outlive it. Returns NULL when out of memory. */
p3_committer *p3_committer_new(p3_jobs *jobs, const char *path);

/* Hands something in; its job's over() comes from p3_jobs_reap(). Its order among those of one
 * account is kept; the spans in its rows must stay until it is over. */
void p3_committer_add(p3_committer *c, p3_commit *commit);

/* Closes the state; nothing that was handed in may be under way. NULL does nothing. */
void p3_committer_free(p3_committer *c);

#endif
