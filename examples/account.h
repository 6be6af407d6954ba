/* Shared by the examples: the account on the command line, and its login. */
#ifndef EXAMPLES_ACCOUNT_H
#define EXAMPLES_ACCOUNT_H

#include <pop3/pop3.h>

#define ACCOUNT_USAGE                                                                              \
    "[--tls | --stls] [--ca-file FILE] [--cert FILE] [--key FILE]\n"                               \
    "           [--apop | --auth MECHANISM] [--channel-binding TYPE] [--token-file FILE]\n"        \
    "           [--timeout SECONDS] [--traits FILE] HOST PORT USER"

/* An account. */
typedef struct account {
    pop3_client_options options;
    pop3_login_options login;
    pop3_tls *tls;
    const char *token_file;
    const char *traits_file; /* stores what is learned about the server */
    size_t length;           /* of the password, once it has been read */
    char password[1024];
} account;

/* Parses the command line. Returns false after printing an error. The password is read when a login
 * needs it: from the terminal without echo, or from the first line of standard input if that is not
 * a terminal. */
bool account_read(account *a, int argc, char **argv);

/* Removes `--connections N`, 1 to 1000, from the front of the command line; without it *count is
 * unchanged. Returns false after printing an error. */
bool account_connections(size_t *count, int *argc, char ***argv);

/* Connects and logs in. Returns NULL after printing an error. */
pop3_client *account_open(account *a);

/* Stores what was learned about the server (pop3/traits.h) for the next run, with --traits. */
void account_remember(const account *a, const pop3_client *c);

/* Wipes the password and frees the TLS context. */
void account_forget(account *a);

/* Prints the client's last error to standard error. Returns false. */
bool account_complain(const pop3_client *c);

#endif
