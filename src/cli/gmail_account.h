/* What an account's settings say about delivery to Gmail. */
#ifndef P3_CLI_GMAIL_ACCOUNT_H
#define P3_CLI_GMAIL_ACCOUNT_H

#include "cli/secret_source.h"
#include "deliver/gmail_options.h"

/* All zero: it is not delivered there. */
typedef struct p3_gmail_account {
    p3_gmail_options options;
    p3_secret_source secret; /* its tokens, which are not those of the POP3 server */
    p3_settings settings;    /* what says where they are; its strings are borrowed */
    char *key;               /* that they are kept under: accounts with one Gmail user share them */
    char *word;              /* what follows `pop3 authorize` */
    char *authorize;         /* the whole command line */
    char *proxy;             /* a URL */
} p3_gmail_account;

/* Makes it of an account's settings, which must outlive it and have gmail set; `word` is the
 * account on the command line. It must not be moved. Free it, also after a failure. */
bool p3_gmail_account_make(p3_gmail_account *out, const p3_settings *s, const char *word,
                           p3_problem *why);
void p3_gmail_account_free(p3_gmail_account *g);

#endif
