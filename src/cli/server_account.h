/* An account's settings for the IMAP or SMTP server of a target, and for logging in there. */
#ifndef P3_CLI_SERVER_ACCOUNT_H
#define P3_CLI_SERVER_ACCOUNT_H

#include "cli/target_secret.h"
#include "deliver/imap_options.h"

typedef struct p3_server_account p3_server_account;
struct p3_server_account {
    p3_server_account *next; /* if an account has several; or NULL */
    p3_server_options options;
    p3_imap_options imap; /* of an IMAP server, with the same options */
    p3_target_secret secret;
};

/* Creates them from an account's settings, whose strings must outlive them, for an IMAP or SMTP
 * target; `word` is the account on the command line. NULL, with the problem, when out of memory. */
p3_server_account *p3_server_account_new(const p3_settings *s, const p3_target *t, const char *word,
                                         p3_problem *why);

/* Also frees the following ones. */
/* NULL does nothing. */
void p3_server_account_free(p3_server_account *m);

#endif
