/* An account's settings for delivery to Gmail. */
#ifndef P3_CLI_GMAIL_ACCOUNT_H
#define P3_CLI_GMAIL_ACCOUNT_H

#include "cli/target_secret.h"
#include "deliver/gmail_options.h"

typedef struct p3_gmail_account {
    p3_gmail_options options;
    p3_target_secret secret; /* its tokens */
    char *proxy;             /* a URL */
} p3_gmail_account;

/* Creates them from an account's settings with gmail, whose strings must outlive them; `word` is
 * the account on the command line. NULL, with the problem, when they cannot be used. */
p3_gmail_account *p3_gmail_account_new(const p3_settings *s, const char *word, p3_problem *why);

/* NULL does nothing. */
void p3_gmail_account_free(p3_gmail_account *g);

#endif
