/* An account as the rooms above describe it: where its mail is, how to log in, where mail goes. */
#ifndef P3_COLLECT_ACCOUNT_H
#define P3_COLLECT_ACCOUNT_H

#include <pop3/client.h>

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
 * replaced. May take its time, in a thread of its own, unless the account says that the secret is
 * at hand. */
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

/* "USER@HOST:PORT", or the path of a Unix-domain socket behind the @. NULL when out of memory;
 * free() it. */
char *p3_account_address(const pop3_client_options *o, const char *user);

/* The same as the account's identity in the state: what stays the same when settings change. That
 * is so when TLS takes the place of STLS: both usual ports lead to one mailbox. */
char *p3_account_key(const pop3_client_options *o, const char *user);

#endif
