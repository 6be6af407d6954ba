/* What an account's settings say about delivery by IMAP. */
#ifndef P3_CLI_IMAP_ACCOUNT_H
#define P3_CLI_IMAP_ACCOUNT_H

#include "cli/secret_source.h"
#include "deliver/imap_options.h"

typedef struct p3_imap_account {
    p3_imap_options options;
    p3_secret_source secret;      /* not that of the POP3 server */
    p3_account holder;            /* whose it is: the user of the IMAP server */
    p3_packed_settings *settings; /* what says where it is; its strings are borrowed */
    char *host;
    char *user;
} p3_imap_account;

/* Makes it of an account's settings, whose strings must outlive it, with imap set. NULL when out of
 * memory, described in *why. */
p3_imap_account *p3_imap_account_new(const p3_settings *s, p3_problem *why);

/* NULL does nothing. */
void p3_imap_account_free(p3_imap_account *m);

#endif
