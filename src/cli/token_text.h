/* What is said about an account's tokens: how the command line names it, and how they are obtained.
 */
#ifndef P3_CLI_TOKEN_TEXT_H
#define P3_CLI_TOKEN_TEXT_H

#include "collect/sync.h"
#include "settings/settings.h"

/* The account as a URL that a shell takes as it is: what follows `pop3 authorize` where it has no
 * name. NULL when out of memory; free() it. */
char *p3_token_url(const p3_account *a);

/* Sets account->tokens of what is known about the account and its server; it advises a command line
 * for `word`. *made is new memory that it points to, if it needs some, or NULL; free() it. False
 * when out of memory. */
bool p3_token_words_set(p3_account *account, const p3_settings *s, const char *word, char **made);

#endif
