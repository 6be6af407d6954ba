/* Makes deliveries and records durable in rounds: a thread takes everything that all accounts have
 * handed in since the last round, and delivers and records it together, with one sync of the data,
 * one of each directory, and one transaction. */
#ifndef P3_COLLECT_COMMITTER_H
#define P3_COLLECT_COMMITTER_H

#include "deliver/target.h"
#include "collect/jobs.h"
#include "state/state.h"

/* A row as it is to be recorded. */
typedef struct p3_change {
    p3_row row;
    bool forget;             /* remove the row instead */
    const p3_parcel *parcel; /* if not NULL: only if this parcel was delivered */
} p3_change;

/* A list of changes. Starts from zero. */
typedef struct p3_changes {
    p3_change *at;
    size_t count;
    p3_room room;
    bool failed; /* out of memory for one of them: none is to be recorded */
} p3_changes;

/* Adds a row as it now is. Returns its change, to be completed; NULL when out of memory. */
p3_change *p3_changes_add(p3_changes *c, const p3_row *row);

void p3_changes_free(p3_changes *c);

/* What an account hands in: parcels to deliver (or none), and changes to record after that. */
typedef struct p3_commit p3_commit;
struct p3_commit {
    p3_job job;  /* over() informs the account; set by the caller */
    void *owner; /* the caller's */
    p3_commit *next;
    int64_t account;
    p3_batch batch;
    p3_changes changes;
    const p3_target *target;    /* to be recorded as the account's target, or NULL */
    pop3_server_traits learned; /* traits of its server to record */
    p3_clock_record seen;       /* clock observations to record, unless all zero */
    p3_problem problem;         /* result: why nothing was recorded */
    /* The account's; only the committer uses it. Set when a commit failed: nothing more is
     * delivered then, because its intents may be missing. */
    bool *commit_failed;
    const char *reached; /* crash point after it has been recorded, or NULL */
};

typedef struct p3_committer p3_committer;

/* Creates a committer that opens the state file at `path` when it first gets something: most runs
 * find nothing new. `path` must outlive it. Returns NULL when out of memory. */
p3_committer *p3_committer_new(p3_jobs *jobs, const char *path);

/* Hands a commit in; p3_jobs_reap() calls its job's over(). Commits of one account are done in the
 * order given; the spans in the rows must exist until over(). */
void p3_committer_add(p3_committer *c, p3_commit *commit);

/* Closes the state. No commit may be pending. NULL does nothing. */
void p3_committer_free(p3_committer *c);

#endif
