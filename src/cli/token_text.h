/* Texts about an account's tokens: its name on the command line, and how to obtain tokens. */
#ifndef P3_CLI_TOKEN_TEXT_H
#define P3_CLI_TOKEN_TEXT_H

#include "collect/sync.h"
#include "settings/settings.h"

/* The account as a URL that needs no quoting in a shell, as the argument of `pop3 authorize` for an
 * account without a name. NULL when out of memory; free() it. */
char *p3_token_url(const p3_account *a);

/* Sets account->tokens from what is known about the account and its server; the advice is a command
 * line for `word`. *made is new memory that it points to, or NULL; free() it. False when out of
 * memory. */
bool p3_token_words_set(p3_account *account, const p3_settings *s, const char *word, char **made);

#endif
