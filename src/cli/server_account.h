/* What an account's settings say about the server that its mail is sent to, and how to log in
 * there: for IMAP and SMTP. */
#ifndef P3_CLI_SERVER_ACCOUNT_H
#define P3_CLI_SERVER_ACCOUNT_H

#include "cli/secret_source.h"
#include "deliver/imap_options.h"

typedef struct p3_server_account {
    p3_server_options options;
    p3_imap_options imap;         /* of an IMAP server, with the same options */
    p3_secret_source secret;      /* not that of the POP3 server */
    p3_account holder;            /* whose it is: the user of that server */
    p3_packed_settings *settings; /* what says where it is; its strings are borrowed */
    char *host;
    char *user;
} p3_server_account;

/* Makes it of an account's settings, whose strings must outlive it, with imap or smtp set. NULL
 * when out of memory, described in *why. */
p3_server_account *p3_server_account_new(const p3_settings *s, p3_problem *why);

/* NULL does nothing. */
void p3_server_account_free(p3_server_account *m);

#endif
