/* A logged-in session for the subcommands that look at one mailbox. */
#ifndef P3_CLI_MAILBOX_H
#define P3_CLI_MAILBOX_H

#include "cli/remembered_traits.h"
#include "cli/sandbox.h"

typedef struct p3_mailbox_session {
    p3_chosen chosen;
    const p3_local_account *account;
    pop3_client *client;
    p3_secret secret;
    p3_sandbox sandbox;
    p3_remembered remembered;
    pop3_client_options options; /* that the client was made with: what is remembered, too */
    bool has_messages; /* messages were printed: the reply to QUIT tells that the last was whole */
} p3_mailbox_session;

/* Connects to the URL or account that the command line names first, and logs in. Complains and
 * returns an exit status when that does not work, EX_OK when it does. Give up with
 * p3_mailbox_close(), also after a failure. */
int p3_mailbox_open(p3_mailbox_session *m, p3_arguments *a);

/* Reads what the command line names first, alone: `m` has the account then. */
int p3_mailbox_choose(p3_mailbox_session *m, p3_arguments *a);

/* Does what follows p3_mailbox_choose(): the client is made, and the sandbox entered. */
int p3_mailbox_prepare(p3_mailbox_session *m, p3_arguments *a);

/* Finds the secret and logs in on the connected client. */
int p3_mailbox_login(p3_mailbox_session *m);

/* Makes another connection in place of the one that has ended, to a server with `traits`, and logs
 * in with `logs_in`. Complains and returns an exit status when that does not work, EX_OK when it
 * does. */
int p3_mailbox_reconnect(p3_mailbox_session *m, pop3_server_traits traits, bool logs_in);

/* What became of p3_mailbox_come_back(). */
typedef enum p3_comeback {
    P3_COMEBACK_NO,     /* there is no other way: nothing was done */
    P3_COMEBACK_DONE,   /* logged in again, to ask for what did not come */
    P3_COMEBACK_FAILED, /* it did not work, which has been told */
} p3_comeback;

/* The connection ended with `status` while headers were asked for: goes another way, as sync would
 * (without CAPA after the login, one command at a time, then without TOP), on another connection.
 * Each way is gone once. */
p3_comeback p3_mailbox_come_back(p3_mailbox_session *m, pop3_status status, int *result);

/* Complains about what the client says went wrong. Returns the exit status. */
int p3_mailbox_print_error(const p3_mailbox_session *m, pop3_status status);

/* Ends the session with QUIT, unless `status` tells of a failure. Returns the exit status. A QUIT
 * that is refused is a failure where messages were marked as deleted, or printed. */
int p3_mailbox_close(p3_mailbox_session *m, int status);

#endif
