/* An account as the callers describe it: its server and mailbox, how to log in, and where its mail
 * is delivered. */
#ifndef P3_COLLECT_ACCOUNT_H
#define P3_COLLECT_ACCOUNT_H

#include <pop3/client.h>

#include "deliver/message.h"
#include "deliver/target.h"
#include "support/problem.h"

/* When a message is deleted on the server. */
typedef enum p3_removal {
    P3_REMOVE_NEVER = 0,
    P3_REMOVE_DELIVERED, /* as soon as it is delivered */
    P3_REMOVE_AFTER      /* `remove_after` seconds after it was delivered */
} p3_removal;

/* A password or token. */
typedef struct p3_secret {
    char *text; /* wiped and freed by the caller of p3_secret_fn; NULL: none */
    size_t len;
    bool is_token;  /* an OAuth 2.0 access token */
    bool renewable; /* if the server refuses it, request another, once */
} p3_secret;

/* Provides the secret of an account. A secret that `out` already has was refused by the server, and
 * is replaced. It may take long and is then called in a thread, unless the account says that the
 * secret is at hand. Returns false with the problem. */
typedef bool (*p3_secret_fn)(void *ctx, p3_secret *out, p3_problem *why);

/* The most messages of a mailbox: each takes about 64 octets of memory in the listing. */
#define P3_MAILBOX_MOST 2000000

/* How the user can obtain OAuth 2.0 tokens for an account. The advice is the concatenation of
 * advice, word and more: "run: pop3 authorize ", the account, and options. */
typedef struct p3_token_hint {
    const char *advice; /* NULL: no advice */
    const char *word;
    const char *more;
    const char *server_takes; /* a sentence about the mechanisms that its server accepts; or NULL */
} p3_token_hint;

/* An account. Everything in it belongs to the caller and must exist until the run has ended. */
typedef struct p3_account {
    const char *name;               /* in messages to the user */
    const char *key;                /* identifies the account in the state: user@host:port */
    pop3_client_options connection; /* the server and how to connect */
    const char *user;
    const char *mechanism;       /* how to log in; NULL: the strongest */
    const char *channel_binding; /* the channel binding to use; NULL: the best */
    bool utf8;                   /* send UTF8 if the server announces it */
    bool forget_traits; /* ignore what was learned about the server, and use only connection.traits
                         */
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
    uint64_t max_size;      /* leave larger messages on the server; 0: no limit */
    uint64_t kill_size;     /* delete larger messages without retrieving them; 0: none */
    uint64_t message_limit; /* give a message up after this many octets, whatever size the server
                               announced; 0: no limit */
    const char *filter; /* command that gets the header and decides: 0 retrieve, 1 delete, 2 leave;
                           or NULL */
    uint64_t limit;     /* most messages to retrieve in this run; 0: all */
    const p3_problem *unusable; /* why the account cannot be visited; NULL: it can */
} p3_account;

/* "USER@HOST:PORT", or the path of a Unix-domain socket behind the @. NULL when out of memory;
 * free() it. */
char *p3_account_address(const pop3_client_options *o, const char *user);

/* The identity of the account in the state, which stays the same when settings change: ports 110
 * and 995 count as one, because both lead to the same mailbox. NULL when out of memory; free() it.
 */
char *p3_account_key(const pop3_client_options *o, const char *user);

#endif
