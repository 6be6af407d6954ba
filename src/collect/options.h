/* The options of a run, for all its accounts. */
#ifndef P3_COLLECT_OPTIONS_H
#define P3_COLLECT_OPTIONS_H

#include <signal.h>

#include "collect/notice.h"

/* What a run does if an account's target has changed, or with mail that has not been delivered yet.
 */
typedef enum p3_start {
    P3_START_USUAL = 0, /* end the account's visit if delivered mail is in question */
    P3_START_NOW,       /* mail on the server counts as seen, even if the target has not changed */
    P3_START_FROM_THE_START, /* changed target: deliver all mail on the server to it */
    P3_START_CONTINUE        /* changed target: delivered mail counts as delivered to it */
} p3_start;

typedef struct p3_sync_options {
    const char *state; /* the state file */
    unsigned jobs;     /* accounts visited at once */
    unsigned per_host; /* the most of them with the same host */
    bool dry_run;      /* change nothing */
    p3_start start;
    bool sizes;   /* request sizes, to show progress */
    int retry_ms; /* the first wait after [IN-USE] or [LOGIN-DELAY], in milliseconds; doubled each
                     time */
    unsigned retries;    /* the most retries */
    p3_notice_fn notice; /* called for each report; or NULL */
    void *notice_ctx;
    const volatile sig_atomic_t
        *stop;   /* set to true: end after the current message; NULL: when stop_fd is readable */
    int stop_fd; /* readable: end the run; -1: none */
    /* Called when the files of the run are open and no thread has been started, so that the process
     * can give up permissions; or NULL. `targets`: those of earlier runs that may have to be
     * searched, besides the present ones. */
    void (*confine)(void *ctx, const p3_target *targets, size_t count);
    void *confine_ctx;
} p3_sync_options;

/* Whether the run is to end. */
bool p3_stop_is_asked(const p3_sync_options *o);

#endif
