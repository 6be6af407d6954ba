/* The accounts that a command line is about: those of the configuration, some of them, or a URL. */
#ifndef P3_CLI_CHOSEN_ACCOUNTS_H
#define P3_CLI_CHOSEN_ACCOUNTS_H

#include "cli/command.h"
#include "settings/config.h"

typedef struct p3_chosen {
    p3_config config;
    p3_tls_shared tls;
    p3_local_account *at;
    size_t count;
} p3_chosen;

/* Makes accounts of words, each a URL or the name of an account; of all accounts in the
 * configuration when there are no words. Options of the command line come before what the
 * configuration says. With `deliver`, an account that cannot be used is marked as such, so that the
 * others can go on. Free with p3_chosen_free(), also after a failure. */
bool p3_chosen_read(p3_chosen *c, p3_arguments *a, char *const *words, size_t count, bool deliver,
                    p3_problem *why);
void p3_chosen_free(p3_chosen *c);

/* Does the work of a command that delivers mail, with the accounts that its words choose. Returns
 * the exit status. */
int p3_chosen_deliver(p3_arguments *a, int (*work)(p3_arguments *a, p3_chosen *chosen));

/* Makes the one account of a command about tokens: its only word, or with --target the second of
 * two, behind the target's name. */
bool p3_chosen_read_for_tokens(p3_chosen *c, p3_arguments *a, const char *command, p3_problem *why);

/* Where its OAuth 2.0 tokens come from: those for its server, or with --target those for its
 * target. NULL, with the problem, where we do not obtain them; `doing` begins it. */
const p3_secret_source *p3_chosen_tokens(const p3_local_account *account, const p3_arguments *a,
                                         const char *doing, p3_problem *why);

#endif
