/* What an account's settings say about delivery to Gmail. */
#ifndef P3_CLI_GMAIL_ACCOUNT_H
#define P3_CLI_GMAIL_ACCOUNT_H

#include "cli/target_secret.h"
#include "deliver/gmail_options.h"

typedef struct p3_gmail_account {
    p3_gmail_options options;
    p3_target_secret secret; /* its tokens */
    char *proxy;             /* a URL */
} p3_gmail_account;

/* Makes it of an account's settings, whose strings must outlive it, with gmail set; `word` is the
 * account on the command line. NULL for what cannot be used, described in *why. */
p3_gmail_account *p3_gmail_account_new(const p3_settings *s, const char *word, p3_problem *why);

/* NULL does nothing. */
void p3_gmail_account_free(p3_gmail_account *g);

#endif
