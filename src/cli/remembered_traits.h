/* What earlier runs of sync learned about an account's server, for the subcommands that look at one
 * mailbox: they begin where sync ended. */
#ifndef P3_CLI_REMEMBERED_TRAITS_H
#define P3_CLI_REMEMBERED_TRAITS_H

#include "cli/chosen_accounts.h"
#include "state/state.h"

typedef struct p3_remembered {
    p3_learned at[P3_LEARNED_MOST];
    size_t count;
    p3_broken broken;   /* messages at whose deletion sessions broke */
    p3_problem problem; /* why it could not be read; exit 0: it could */
} p3_remembered;

/* Where the state is: --state, else the setting, else (*usual) its place in the home folder. NULL
 * when there is no such place, or when out of memory; free() it. */
char *p3_state_path(const p3_arguments *a, bool *usual);

/* Reads what is remembered of an account, changing nothing: none where there is no state. */
void p3_remembered_read(p3_remembered *r, const p3_arguments *a, const p3_account *account);

/* A trait in words: what it is, what it means, when it was learned and when it expires, and the
 * setting that sets it by hand. */
void p3_learned_text(const p3_learned *l, const p3_account *account, char *out, size_t size);

/* The same of the messages at whose deletion sessions broke, of which there are some. */
void p3_broken_text(const p3_broken *b, const p3_account *account, char *out, size_t size);

/* All of it in one, beside what the account's settings say; those alone where they say that what
 * was learned does not count. */
pop3_server_traits p3_remembered_traits(const p3_remembered *r, const p3_account *account);

#endif
