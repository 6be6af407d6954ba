/* What a run is to do, for all its accounts. */
#ifndef P3_COLLECT_OPTIONS_H
#define P3_COLLECT_OPTIONS_H

#include <signal.h>

#include "collect/notice.h"

/* What a run does about mail that an account has delivered to another target than its present one,
 * or has not delivered yet. */
typedef enum p3_start {
    P3_START_USUAL = 0, /* end the account's visit, if that is in question */
    P3_START_NOW,       /* what is on the server counts as seen, at the same target as well */
    P3_START_AFRESH,    /* at another target: all that is on the server is delivered there */
    P3_START_CONTINUED  /* at another target: what was delivered counts as delivered there */
} p3_start;

typedef struct p3_sync_options {
    const char *state; /* the state file */
    unsigned jobs;     /* accounts at once */
    unsigned per_host; /* of those, most to one host and port */
    bool dry_run;      /* change nothing */
    p3_start start;
    bool sizes;          /* ask for sizes, for progress */
    int retry_ms;        /* first wait after [IN-USE] or [LOGIN-DELAY]; doubled each time */
    unsigned retries;    /* how many times */
    p3_notice_fn notice; /* told what happens; or NULL */
    void *notice_ctx;
    const volatile sig_atomic_t *stop; /* becomes true: end after the message in hand; NULL: when
                                          stop_fd is readable */
    int stop_fd;                       /* readable then; -1: none */
    /* Called when the files of the run are open and no thread runs yet, for the process to give up
     * rights; or NULL. `targets` are those that accounts delivered to in earlier runs and that may
     * have to be looked into, beside those of now. */
    void (*confine)(void *ctx, const p3_target *targets, size_t count);
    void *confine_ctx;
} p3_sync_options;

/* Whether the run is to end. */
bool p3_stop_is_asked(const p3_sync_options *o);

#endif
