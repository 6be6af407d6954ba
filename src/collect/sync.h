/* Keeps delivery targets in step with mailboxes, exactly once: the interface of this room.
 *
 * The order of effects for a message: its intent is recorded, it is written to the target's spool,
 * the data is synced, it gets its name, the folder is synced, it is recorded as delivered; only
 * then comes DELE, then QUIT, and then the deletion is recorded. Each step is done for many
 * messages at once. */
#ifndef P3_COLLECT_SYNC_H
#define P3_COLLECT_SYNC_H

#include <pop3/client.h>

#include <signal.h>

#include "deliver/message.h"
#include "deliver/target.h"
#include "support/problem.h"

/* What happens to a message on the server once it is delivered. */
typedef enum p3_removal {
    P3_REMOVE_NEVER = 0,
    P3_REMOVE_DELIVERED, /* as soon as it is delivered */
    P3_REMOVE_AFTER      /* `remove_after` seconds after it was delivered */
} p3_removal;

/* A password or token. */
typedef struct p3_secret {
    char *text; /* wiped and freed by who asked for it; NULL: none */
    size_t len;
    bool is_token;  /* an OAuth 2.0 access token */
    bool renewable; /* if the server refuses it, ask for another, once */
} p3_secret;

/* Provides the secret of an account. What `out` has already was refused by the server, and is
 * replaced. May take its time, in a thread of its own, unless the account
 * says that the secret is at hand. */
typedef bool (*p3_secret_fn)(void *ctx, p3_secret *out, p3_problem *why);

/* Messages that one mailbox may have: a listing takes some 64 octets of memory for each. */
#define P3_MAILBOX_MOST 2000000

/* What is known of an account's OAuth 2.0 tokens. How they are obtained is told by advice, word and
 * more, one behind the other: "run: pop3 authorize ", the account, and options. */
typedef struct p3_token_hint {
    const char *advice; /* NULL: there is nothing to advise */
    const char *word;
    const char *more;
    const char *server_takes; /* a sentence: what its server takes to log in; or NULL */
} p3_token_hint;

/* An account: everything is the caller's and lives until the run is over. */
typedef struct p3_account {
    const char *name;               /* for people */
    const char *key;                /* which account it is in the state: user@host:port */
    pop3_client_options connection; /* where to and how */
    const char *user;
    const char *mechanism;       /* how to log in; NULL: the strongest */
    const char *channel_binding; /* the type to bind to TLS with; NULL: the best */
    bool utf8;                   /* UTF8 is sent where it is announced */
    bool forget_traits;          /* what was learned about the server does not count, only what
                                    connection.traits says */
    bool secret_at_hand;
    bool received; /* add a Received line */
    p3_line_ends line_ends;
    p3_secret_fn secret;
    void *secret_ctx;
    p3_token_hint tokens;
    p3_target target;
    const char *delivered_to; /* address for a Delivered-To line, or NULL */
    p3_removal removal;
    int64_t remove_after;   /* seconds */
    uint64_t max_size;      /* larger messages are left alone; 0: no limit */
    uint64_t kill_size;     /* larger messages are deleted unread; 0: none */
    uint64_t message_limit; /* octets of a message at which it is given up, whatever the server says
                               of its size; 0: no limit */
    const char *filter; /* command that is given the header: 0 take, 1 delete, 2 leave; or NULL */
    uint64_t limit;     /* most messages to retrieve in this run; 0: all */
    const p3_problem *unusable; /* why the account cannot be worked on; NULL: it can */
} p3_account;

/* What has happened to an account so far. */
typedef struct p3_tally {
    uint64_t listed;        /* messages on the server */
    uint64_t listed_most;   /* the same, at most in any session of this run */
    uint64_t wanted;        /* of those, new ones to be retrieved in this run */
    uint64_t wanted_octets; /* their size as the server says; 0 when not asked */
    uint64_t retrieved;
    uint64_t octets; /* retrieved */
    uint64_t delivered;
    uint64_t settled; /* of those, by an earlier run that did not record it */
    uint64_t deleted; /* on the server, and confirmed */
    uint64_t skipped; /* left alone by a filter */
    uint64_t failed;  /* messages that could not be retrieved or delivered */
    uint64_t unseen; /* messages of which it could not be seen whether they were delivered before */
} p3_tally;

typedef enum p3_notice_kind {
    P3_NOTICE_BEGUN,     /* connecting */
    P3_NOTICE_LISTED,    /* it is known what there is to do */
    P3_NOTICE_MESSAGE,   /* a message has been retrieved */
    P3_NOTICE_DELIVERED, /* messages have been delivered and recorded */
    P3_NOTICE_WOULD,     /* dry run: what would be done with a message is in `text` */
    P3_NOTICE_SKIPPED,   /* a filter leaves a message alone */
    P3_NOTICE_REMARK,    /* something about the server, in `text` */
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

typedef struct p3_sync_options {
    const char *state;   /* the state file */
    unsigned jobs;       /* accounts at once */
    unsigned per_host;   /* of those, most to one host and port */
    bool dry_run;        /* change nothing */
    bool sizes;          /* ask for sizes, for progress */
    int retry_ms;        /* first wait after [IN-USE] or [LOGIN-DELAY]; doubled each time */
    unsigned retries;    /* how many times */
    p3_notice_fn notice; /* told what happens; or NULL */
    void *notice_ctx;
    const volatile sig_atomic_t *stop; /* becomes true: end after the message in hand */
    int stop_fd;                       /* readable then; -1: none */
    /* Called when the files of the run are open and no thread runs yet, for the process to give up
     * rights; or NULL. `targets` are those that accounts delivered to in earlier runs and that may
     * have to be looked into, beside those of now. */
    void (*confine)(void *ctx, const p3_target *targets, size_t count);
    void *confine_ctx;
} p3_sync_options;

/* Works on all accounts. Returns false, with the problem, when the run could not be begun. Else
 * `*status` says how it ended: 0, or an EX_ value of sysexits.h. What does not mend by itself takes
 * precedence over EX_TEMPFAIL. */
bool p3_sync(const p3_sync_options *options, const p3_account *const *accounts, size_t count,
             int *status, p3_problem *why);

#endif
