/* `pop3 doctor`: checks an account's OAuth 2.0 tokens. */
#ifndef P3_CLI_DOCTOR_TOKENS_H
#define P3_CLI_DOCTOR_TOKENS_H

#include "cli/account.h"

/* Prints what is stored and when it expires; refreshes an expired token. It reads files and
 * connects, so it is called before the sandbox is entered. Returns an exit status: EX_OK when there
 * is a valid token, or no provider of tokens. */
int p3_doctor_tokens(const p3_local_account *a);

/* The same for any tokens, under a title. False, with the problem, when there is no valid token. */
bool p3_doctor_tokens_of(const p3_secret_source *source, const char *what, p3_problem *why);

/* Prints the announced mechanisms for tokens, and advice if the account and the server do not
 * match. Returns false when a login cannot succeed. */
bool p3_doctor_mechanisms(const p3_local_account *a, const pop3_client *client);

#endif
