/* A token that is good now: the one that is kept, or a new one. */
#ifndef P3_TOKEN_TOKEN_H
#define P3_TOKEN_TOKEN_H

#include "token/account.h"

/* Tells tokens apart without showing them. All zero: none. */
typedef struct p3_token_print {
    unsigned char octets[16];
} p3_token_print;

p3_token_print p3_token_print_of(const char *token);

/* Gives a token in new memory, which is to be wiped. The one that is kept is given while it lasts;
 * else it is refreshed, by one process at a time, and kept before it is given. A token of the print
 * `refused` is not given again. After failures the provider is left alone for a while. The problem
 * says the likely cause and the command that mends it. */
bool p3_token_get(const p3_token_account *a, p3_token_print refused, char **token, p3_problem *why);

/* Asks the provider now, whatever there is and however often that failed (--check). */
bool p3_token_renew(const p3_token_account *a, p3_problem *why);

#endif
