/* Returns a valid token: the stored one, or a new one. */
#ifndef P3_TOKEN_TOKEN_H
#define P3_TOKEN_TOKEN_H

#include "token/account.h"

/* Identifies a token without revealing it. All zero: none. */
typedef struct p3_token_print {
    unsigned char octets[16];
} p3_token_print;

p3_token_print p3_token_print_of(const char *token);

/* Returns a token in new memory, which must be wiped. The stored one is returned while it is valid;
 * otherwise it is refreshed, by one process at a time, and stored before it is returned. A token
 * with the print `refused` is not returned again. After failures the provider is not asked for a
 * while. The problem names the likely cause and the command to run. */
bool p3_token_get(const p3_token_account *a, p3_token_print refused, char **token, p3_problem *why);

/* Asks the provider now, whatever is stored and however often that has failed (--check). */
bool p3_token_renew(const p3_token_account *a, p3_problem *why);

#endif
