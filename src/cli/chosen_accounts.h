/* The accounts of a command line: those of the configuration, some of them, or a URL. */
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

/* Creates accounts from words, each a URL or the name of an account; without words, from all
 * accounts of the configuration. Options of the command line take precedence over the
 * configuration. With `deliver`, an account that cannot be used is marked, so that the others can
 * be. Free with p3_chosen_free(), also after a failure. */
bool p3_chosen_read(p3_chosen *c, p3_arguments *a, char *const *words, size_t count, bool deliver,
                    p3_problem *why);
void p3_chosen_free(p3_chosen *c);

/* Runs a subcommand that delivers mail, with the accounts of its words. Returns the exit status. */
int p3_chosen_deliver(p3_arguments *a, int (*work)(p3_arguments *a, p3_chosen *chosen));

/* Creates the account of a subcommand for tokens: its only word, or with --target the second of
 * two, after the target's name. */
bool p3_chosen_read_for_tokens(p3_chosen *c, p3_arguments *a, const char *command, p3_problem *why);

/* The source of its OAuth 2.0 tokens: for its server, or with --target for its target. NULL, with
 * the problem, if we do not obtain them; `doing` begins the problem. */
const p3_secret_source *p3_chosen_tokens(const p3_local_account *account, const p3_arguments *a,
                                         const char *doing, p3_problem *why);

#endif
