/* What a run counts, and what it tells people while it is at work. */
#ifndef P3_COLLECT_NOTICE_H
#define P3_COLLECT_NOTICE_H

#include "collect/account.h"

/* What has happened to an account so far. */
typedef struct p3_tally {
    uint64_t listed;        /* messages on the server */
    uint64_t listed_most;   /* the same, at most in any session of this run */
    uint64_t wanted;        /* of those, new ones to be retrieved in this run */
    uint64_t wanted_octets; /* their size as the server says; 0 when not asked */
    uint64_t retrieved;
    uint64_t octets; /* retrieved */
    uint64_t delivered;
    uint64_t settled;     /* of those, by an earlier run that did not record it */
    uint64_t refused;     /* of those delivered, refused for good, and kept for `pop3 retry` */
    uint64_t deleted;     /* on the server, and confirmed */
    uint64_t skipped;     /* left alone by a filter */
    uint64_t passed_over; /* count as seen from now on, without being delivered */
    uint64_t failed;      /* messages that could not be retrieved or delivered */
    uint64_t undeleted;   /* messages that were to be deleted, at which sessions broke */
    uint64_t unseen; /* messages of which it could not be seen whether they were delivered before */
} p3_tally;

typedef enum p3_notice_kind {
    P3_NOTICE_BEGUN,     /* connecting */
    P3_NOTICE_LISTED,    /* it is known what there is to do */
    P3_NOTICE_MESSAGE,   /* a message has been retrieved */
    P3_NOTICE_DELIVERED, /* messages have been delivered and recorded */
    P3_NOTICE_WOULD,     /* dry run: what would be done with a message is in `text` */
    P3_NOTICE_SKIPPED,   /* a filter leaves a message alone */
    P3_NOTICE_WARNING,   /* something about the server, in `text` */
    P3_NOTICE_FAILED,    /* a message could not be retrieved or delivered; `problem` */
    P3_NOTICE_WAITING,   /* another attempt comes in `seconds`; `problem` */
    P3_NOTICE_OVER       /* the account is done; `problem` when it did not work */
} p3_notice_kind;

/* Something to tell people. */
typedef struct p3_notice {
    p3_notice_kind kind;
    const p3_account *account;
    const p3_tally *tally;
    uint32_t number; /* of the message, or 0 */
    pop3_str uid;
    uint64_t octets;
    const char *text;
    const p3_problem *problem; /* or NULL */
    double seconds;
} p3_notice;

typedef void (*p3_notice_fn)(void *ctx, const p3_notice *notice);

#endif
