/* A logged-in session for the subcommands that read one mailbox. */
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
    pop3_client_options options; /* of the client, including remembered traits */
    bool has_messages; /* messages were printed: the reply to QUIT proves that the last was complete
                        */
} p3_mailbox_session;

/* Connects to the URL or account that is the first word of the command line, and logs in. Prints an
 * error and returns an exit status on failure, EX_OK on success. Close with p3_mailbox_close(),
 * also after a failure. */
int p3_mailbox_open(p3_mailbox_session *m, p3_arguments *a);

/* Only reads the first word of the command line: `m` has the account then. */
int p3_mailbox_choose(p3_mailbox_session *m, p3_arguments *a);

/* Continues after p3_mailbox_choose(): creates the client, and enters the sandbox. */
int p3_mailbox_prepare(p3_mailbox_session *m, p3_arguments *a);

/* Finds the secret and logs in on the connected client. */
int p3_mailbox_login(p3_mailbox_session *m);

/* Opens another connection, replacing the one that has ended, to a server with `traits`, and logs
 * in with `logs_in`. Prints an error and returns an exit status on failure, EX_OK on success. */
int p3_mailbox_reconnect(p3_mailbox_session *m, pop3_server_traits traits, bool logs_in);

/* The result of p3_mailbox_come_back(). */
typedef enum p3_comeback {
    P3_COMEBACK_NO,     /* there is no other way: nothing was done */
    P3_COMEBACK_DONE,   /* logged in again, to request what is missing */
    P3_COMEBACK_FAILED, /* it failed, which has been reported */
} p3_comeback;

/* The connection ended with `status` while headers were requested: connects again and works in
 * another way, like sync (without CAPA after the login, one command at a time, then without TOP).
 * Each way is tried once. */
p3_comeback p3_mailbox_come_back(p3_mailbox_session *m, pop3_status status, int *result);

/* Prints the client's error. Returns the exit status. */
int p3_mailbox_print_error(const p3_mailbox_session *m, pop3_status status);

/* Ends the session with QUIT, unless `status` is a failure. Returns the exit status. A refused QUIT
 * is a failure if messages were marked as deleted, or printed. */
int p3_mailbox_close(p3_mailbox_session *m, int status);

#endif
