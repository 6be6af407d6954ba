/* What an account's settings say about the server that its mail is sent to, and how to log in
 * there: for IMAP and SMTP. */
#ifndef P3_CLI_SERVER_ACCOUNT_H
#define P3_CLI_SERVER_ACCOUNT_H

#include "cli/target_secret.h"
#include "deliver/imap_options.h"

typedef struct p3_server_account p3_server_account;
struct p3_server_account {
    p3_server_account *next; /* where an account has several of them; or NULL */
    p3_server_options options;
    p3_imap_options imap; /* of an IMAP server, with the same options */
    p3_target_secret secret;
};

/* Makes it of an account's settings, whose strings must outlive it, for a target of them: IMAP or
 * SMTP; `word` is the account on the command line. NULL when out of memory, described in *why. */
p3_server_account *p3_server_account_new(const p3_settings *s, const p3_target *t, const char *word,
                                         p3_problem *why);

/* With those that follow. */
/* NULL does nothing. */
void p3_server_account_free(p3_server_account *m);

#endif
