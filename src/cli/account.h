/* Converts settings to an account. */
#ifndef P3_CLI_ACCOUNT_H
#define P3_CLI_ACCOUNT_H

#include "cli/gmail_account.h"
#include "cli/secret.h"
#include "cli/server_account.h"
#include "cli/tls_shared.h"
#include "settings/packed.h"
#include "settings/url.h"
#include "collect/sync.h"

/* An account with everything that its fields point to. It must not be moved. */
typedef struct p3_local_account {
    p3_account account;
    p3_packed_settings *settings; /* belongs to the account */
    p3_secret_source secret;
    char *key;
    p3_envelope *envelope;     /* of a target that needs one, or one for each of a list; or NULL */
    p3_gmail_account *gmail;   /* NULL: no delivery to Gmail */
    p3_server_account *server; /* of an IMAP or SMTP server, or of both; NULL: neither */
    char *refused;             /* the default quarantine, or the folders of a list in it */
    char *shown;               /* the name of an account without one */
    char *word;                /* its name for `pop3 authorize` */
    char *token_advice;        /* a part of the advice on how to obtain its tokens */
    p3_problem *unusable;      /* why it cannot be used, or NULL */
} p3_local_account;

/* Creates an account from settings, which it takes over; its TLS context is shared and must outlive
 * it. `delivers`: it must have a target. Returns false with what is missing or contradictory. */
bool p3_local_account_make(p3_local_account *out, p3_settings *settings, p3_tls_shared *shared,
                           bool delivers, p3_problem *why);

/* Sets the quarantine, unless a setting does: a Maildir beside the state file. Each target of a
 * list has a folder in it. Returns false when out of memory. */
bool p3_local_account_set_refused(p3_local_account *a, const char *state);

/* The secrets for the servers of its targets, from 0 on; NULL after the last. */
p3_secret_source *p3_local_account_target_secret(const p3_local_account *a, size_t i);

void p3_local_account_free(p3_local_account *a);

#endif
