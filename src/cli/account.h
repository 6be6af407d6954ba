/* Settings made into an account that can be worked with. */
#ifndef P3_CLI_ACCOUNT_H
#define P3_CLI_ACCOUNT_H

#include "cli/gmail_account.h"
#include "cli/secret.h"
#include "cli/server_account.h"
#include "cli/tls_shared.h"
#include "settings/packed.h"
#include "settings/url.h"
#include "collect/sync.h"

/* An account with all that its fields point to. It must not be moved once it is made. */
typedef struct p3_local_account {
    p3_account account;
    p3_packed_settings *settings; /* owned */
    p3_secret_source secret;
    char *key;
    p3_envelope *envelope;     /* of a target that needs one, or of each of a list; or NULL */
    p3_gmail_account *gmail;   /* NULL: it is not delivered there */
    p3_server_account *server; /* the same: of an IMAP or SMTP server, or of both */
    char *refused;             /* the Maildir that it has by default, or the folders of a list */
    char *shown;               /* the name of an account that was given none */
    char *word;                /* the same, for `pop3 authorize` */
    char *token_advice;        /* a part of the advice on how its tokens are obtained */
    p3_problem *unusable;      /* why it cannot be worked on, or NULL */
} p3_local_account;

/* Makes an account of settings, which it takes over; what it trusts is among what is shared, which
 * must outlive it. `delivers`: it must say where mail is delivered. Returns false and says what is
 * missing or contradicts. */
bool p3_local_account_make(p3_local_account *out, p3_settings *settings, p3_tls_shared *shared,
                           bool delivers, p3_problem *why);

/* Sets where messages go that the target refuses for good, unless a setting says so: a Maildir
 * beside the state file. Of a list each target has a folder below that. Returns false when out of
 * memory. */
bool p3_local_account_set_refused(p3_local_account *a, const char *state);

/* The secrets for the servers that its mail is sent to, from 0 on; NULL behind the last. */
p3_secret_source *p3_local_account_target_secret(const p3_local_account *a, size_t i);

void p3_local_account_free(p3_local_account *a);

#endif
