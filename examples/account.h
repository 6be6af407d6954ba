/* What the examples share: the account named on the command line, and its password. */
#ifndef EXAMPLES_ACCOUNT_H
#define EXAMPLES_ACCOUNT_H

#include <pop3/pop3.h>

/* An account, from "PROGRAM [--tls | --stls] [--ca-file F] [--apop] HOST PORT USER". */
typedef struct account {
    pop3_client_options options;
    pop3_tls *tls;
    const char *user;
    bool apop;
    char password[1024];
} account;

/* Reads the command line, and the password: from the terminal without showing it, or as the first
 * line of standard input when that is no terminal. Prints what is wrong and returns false. */
bool account_read(account *a, int argc, char **argv);

/* Connects and logs in. Prints what went wrong and returns NULL. */
pop3_client *account_open(account *a);

/* Wipes the password and gives up the TLS context. */
void account_forget(account *a);

/* Prints the client's last error to standard error. Returns false, for callers that give up. */
bool account_complain(const pop3_client *c);

#endif
