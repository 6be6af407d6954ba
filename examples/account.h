/* What the examples share: the account named on the command line, and how to log in to it. */
#ifndef EXAMPLES_ACCOUNT_H
#define EXAMPLES_ACCOUNT_H

#include <pop3/pop3.h>

#define ACCOUNT_USAGE                                                                              \
    "[--tls | --stls] [--ca-file FILE] [--cert FILE] [--key FILE]\n"                               \
    "           [--apop | --auth METHOD] [--channel-binding TYPE] [--token-file FILE]\n"           \
    "           [--timeout SECONDS] [--traits FILE] HOST PORT USER"

/* An account. */
typedef struct account {
    pop3_client_options options;
    pop3_login_options login;
    pop3_tls *tls;
    const char *token_file;
    const char *traits_file; /* where what is learned about the server is kept */
    size_t length;           /* of the password, once it has been read */
    char password[1024];
} account;

/* Reads the command line. Prints what is wrong and returns false. The password is read when a login
 * asks for it: from the terminal without showing it, or as the first line of standard input when
 * that is no terminal. */
bool account_read(account *a, int argc, char **argv);

/* Takes `--connections N`, 1 to 1000, from the front of the command line; *count stays where it is
 * not there. Prints what is wrong and returns false. */
bool account_connections(size_t *count, int *argc, char ***argv);

/* Connects and logs in. Prints what went wrong and returns NULL. */
pop3_client *account_open(account *a);

/* Keeps what was learned about the server (pop3/traits.h) for the next run, with --traits. */
void account_remember(const account *a, const pop3_client *c);

/* Wipes the password and gives up the TLS context. */
void account_forget(account *a);

/* Prints the client's last error to standard error. Returns false, for callers that give up. */
bool account_complain(const pop3_client *c);

#endif
