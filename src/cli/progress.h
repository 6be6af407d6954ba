/* Reports a run of sync: a JSON line for each event, or a summary line for each account and, on a
 * terminal, a progress line for each active account. */
#ifndef P3_CLI_PROGRESS_H
#define P3_CLI_PROGRESS_H

#include "collect/sync.h"

typedef struct p3_progress p3_progress;

typedef enum p3_progress_style {
    P3_PROGRESS_QUIET, /* errors only */
    P3_PROGRESS_LINES, /* a summary line for each account */
    P3_PROGRESS_LIVE,  /* also progress, on standard error, which is a terminal */
    P3_PROGRESS_JSON   /* events on standard output */
} p3_progress_style;

/* Returns NULL when out of memory. `accounts` is the highest number of active accounts. */
p3_progress *p3_progress_new(p3_progress_style style, bool verbose, bool dry_run, size_t accounts);
void p3_progress_free(p3_progress *p);

/* A p3_notice_fn. */
void p3_progress_notice(void *progress, const p3_notice *notice);

#endif
