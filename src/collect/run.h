/* What the visits of a run share. */
#ifndef P3_COLLECT_RUN_H
#define P3_COLLECT_RUN_H

#include "collect/committer.h"
#include "collect/options.h"
#include "deliver/message_names.h"

typedef struct p3_run {
    const p3_sync_options *options;
    p3_state *state; /* for reading */
    p3_jobs *jobs;
    p3_committer *committer; /* NULL in a dry run */
    p3_names names;
    char *owner; /* the real path of the state, which identifies its accounts to others; see
                    p3_owner_of() */
} p3_run;

/* Opens the state and other shared things, and calls `confine` of the options. Returns false when
 * the run cannot begin; call p3_run_end() in either case. */
bool p3_run_begin(p3_run *run, const p3_sync_options *options, const p3_account *const *accounts,
                  size_t count, p3_problem *why);

/* Waits for pending work and closes everything. */
void p3_run_end(p3_run *run);

#endif
