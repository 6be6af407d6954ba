/* What the visits of a run share. */
#ifndef P3_COLLECT_RUN_H
#define P3_COLLECT_RUN_H

#include "collect/committer.h"
#include "collect/options.h"
#include "deliver/names.h"

typedef struct p3_run {
    const p3_sync_options *options;
    p3_state *state; /* for reading */
    p3_jobs *jobs;
    p3_committer *committer; /* NULL in a dry run */
    p3_names names;
    char *owner; /* the state's real path: who its accounts are to others; see p3_owner_of() */
} p3_run;

#endif
