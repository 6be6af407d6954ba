/* Where passwords and tokens come from. */
#ifndef P3_CLI_SECRET_H
#define P3_CLI_SECRET_H

#include <pop3/login.h>

#include "cli/secret_source.h"

/* A p3_secret_fn: asks, in this order, the provider of tokens, token-command, password-command,
 * password-file, the setting itself, the desktop's keyring, netrc, and the person at the terminal.
 * What is set and fails is an error; nothing else is tried then. */
bool p3_secret_find(void *source, p3_secret *out, p3_problem *why);

/* Whether it can be found without waiting for a program, a pipe or a person. */
bool p3_secret_is_at_hand(const p3_secret_source *source);

/* Whether netrc is where it is looked for. */
bool p3_secret_may_be_in_netrc(const p3_secret_source *source);

/* What the method of logging in that is set needs: bits of pop3_login_need. All that any may need
 * when none is set. */
unsigned p3_login_needs(const p3_settings *s);

/* The command line that p3_secret_find() would run, or NULL when it would run none. free() it. */
char *p3_secret_command(const p3_secret_source *s);

#endif
