/* What a run counts, and what it reports while it runs. */
#ifndef P3_COLLECT_NOTICE_H
#define P3_COLLECT_NOTICE_H

#include "collect/account.h"

/* Counters of an account in this run. */
typedef struct p3_tally {
    uint64_t listed;        /* messages on the server */
    uint64_t listed_most;   /* the highest number of any session in this run */
    uint64_t wanted;        /* new messages to be retrieved in this run */
    uint64_t wanted_octets; /* their size according to the server; 0: not requested */
    uint64_t retrieved;
    uint64_t octets; /* retrieved octets */
    uint64_t delivered;
    uint64_t settled; /* delivered by an earlier run that did not record it */
    uint64_t
        refused; /* delivered messages that were refused permanently and kept for `pop3 retry` */
    uint64_t deleted;     /* deleted on the server, and confirmed */
    uint64_t skipped;     /* left on the server by a filter */
    uint64_t passed_over; /* counted as seen without being delivered */
    uint64_t failed;      /* messages that could not be retrieved or delivered */
    uint64_t undeleted;   /* messages that could not be deleted, because sessions broke */
    uint64_t unseen;      /* messages of which it is unknown whether they were delivered before */
} p3_tally;

typedef enum p3_notice_kind {
    P3_NOTICE_BEGUN,     /* connecting */
    P3_NOTICE_LISTED,    /* the number of messages is known */
    P3_NOTICE_MESSAGE,   /* a message has been retrieved */
    P3_NOTICE_DELIVERED, /* messages have been delivered and recorded */
    P3_NOTICE_WOULD,     /* dry run: what would be done with a message is in `text` */
    P3_NOTICE_SKIPPED,   /* a filter leaves a message on the server */
    P3_NOTICE_WARNING,   /* something about the server, in `text` */
    P3_NOTICE_FAILED,    /* a message could not be retrieved or delivered; `problem` */
    P3_NOTICE_WAITING,   /* another visit follows in `seconds`; `problem` */
    P3_NOTICE_OVER       /* the account is done; with a `problem` if it failed */
} p3_notice_kind;

/* A report to the user. */
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
