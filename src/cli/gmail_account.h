/* What an account's settings say about delivery to Gmail. */
#ifndef P3_CLI_GMAIL_ACCOUNT_H
#define P3_CLI_GMAIL_ACCOUNT_H

#include "cli/secret_source.h"
#include "deliver/gmail_options.h"

typedef struct p3_gmail_account {
    p3_gmail_options options;
    p3_secret_source secret;      /* its tokens, which are not those of the POP3 server */
    p3_account holder;            /* whose they are: the user of Gmail */
    p3_packed_settings *settings; /* what says where they are; its strings are borrowed */
    char *key;     /* that they are kept under: accounts with one Gmail user share them */
    char *word;    /* what follows `pop3 authorize` */
    char *renewal; /* how to get another token */
    char *proxy;   /* a URL */
} p3_gmail_account;

/* Makes it of an account's settings, whose strings must outlive it, with gmail set; `word` is the
 * account on the command line. NULL for what cannot be used, described in *why. */
p3_gmail_account *p3_gmail_account_new(const p3_settings *s, const char *word, p3_problem *why);

/* NULL does nothing. */
void p3_gmail_account_free(p3_gmail_account *g);

#endif
