/* Finds passwords and tokens. */
#ifndef P3_CLI_SECRET_H
#define P3_CLI_SECRET_H

#include <pop3/login.h>

#include "cli/secret_source.h"

/* A p3_secret_fn. Uses the first of these that is set: the provider of tokens, token-command,
 * password-command, password-file, the setting itself, the desktop's keyring, netrc, and the user
 * at the terminal. If it fails, that is an error, and no other is tried. Before a login to the POP3
 * server, the password file of the account's target is checked: without it, mail would be retrieved
 * in vain. */
bool p3_secret_find(void *source, p3_secret *out, p3_problem *why);

/* Whether it can be found without waiting for a program, a pipe or a user. */
bool p3_secret_is_at_hand(const p3_secret_source *source);

/* Whether it would be looked up in netrc. */
bool p3_secret_may_be_in_netrc(const p3_secret_source *source);

/* What the mechanism in the settings needs: bits of pop3_login_need. Without one, everything that
 * any mechanism may need. */
unsigned p3_login_needs(const p3_settings *s);

/* The command line that p3_secret_find() would run, or NULL when there is none. free() it. */
char *p3_secret_command(const p3_secret_source *s);

#endif
