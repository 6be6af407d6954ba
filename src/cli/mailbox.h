/* A logged-in session for the subcommands that look at one mailbox. */
#ifndef P3_CLI_MAILBOX_H
#define P3_CLI_MAILBOX_H

#include "cli/sandbox.h"

typedef struct p3_session_with {
    p3_chosen chosen;
    const p3_local_account *account;
    pop3_client *client;
    p3_secret secret;
    p3_sandbox sandbox;
} p3_session_with;

/* Connects to the URL or account that the command line names first, and logs in. Complains and
 * returns an exit status when that does not work, EX_OK when it does. Give up with
 * p3_mailbox_close(), also after a failure. */
int p3_mailbox_open(p3_session_with *m, p3_arguments *a);

/* The same without logging in, or even connecting: the client is made, and the sandbox entered. */
int p3_mailbox_prepare(p3_session_with *m, p3_arguments *a);

/* Finds the secret and logs in on the connected client. */
int p3_mailbox_login(p3_session_with *m);

/* Complains about what the client says went wrong. Returns the exit status. */
int p3_mailbox_complain(const p3_session_with *m, pop3_status status);

/* Ends the session with QUIT, unless `status` tells of a failure. Returns the exit status. */
int p3_mailbox_close(p3_session_with *m, int status);

#endif
