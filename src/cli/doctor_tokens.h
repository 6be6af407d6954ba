/* What `pop3 doctor` finds out about an account's OAuth 2.0 tokens. */
#ifndef P3_CLI_DOCTOR_TOKENS_H
#define P3_CLI_DOCTOR_TOKENS_H

#include "cli/account.h"

/* Prints what is kept, and until when it lasts; one that has ended is refreshed. It reads files,
 * and connects: before the sandbox is entered. Returns an exit status: EX_OK when there is a token
 * that is good, and for an account without a provider of tokens. */
int p3_doctor_tokens(const p3_local_account *a);

/* The same of any tokens, under a title. False, with the problem, when there is none that is good.
 */
bool p3_doctor_tokens_of(const p3_secret_source *source, const char *what, p3_problem *why);

/* Prints which mechanisms for tokens the server announces, and what to do where the account and
 * the server do not agree on tokens. Returns false when a login cannot succeed. */
bool p3_doctor_mechanisms(const p3_local_account *a, const pop3_client *client);

#endif
