/* What is said about an account's tokens: how the command line names it, and how they are obtained.
 */
#ifndef P3_CLI_TOKEN_WORDS_H
#define P3_CLI_TOKEN_WORDS_H

#include "collect/sync.h"
#include "settings/settings.h"

/* What follows `pop3 authorize`: the name in the configuration, or a URL. NULL when out of memory;
 * free() it. */
char *p3_token_word(const p3_account *a, const p3_settings *s);

/* Sets account->tokens of what is known about the account and its server; the advice ends with a
 * command line for `word`. Returns the advice in new memory, or NULL when out of memory. */
char *p3_token_words_set(p3_account *account, const p3_settings *s, const char *word);

#endif
