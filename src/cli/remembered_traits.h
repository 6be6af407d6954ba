/* What earlier runs of sync learned about an account's server, for the subcommands that read one
 * mailbox. */
#ifndef P3_CLI_REMEMBERED_TRAITS_H
#define P3_CLI_REMEMBERED_TRAITS_H

#include "cli/chosen_accounts.h"
#include "state/state.h"

typedef struct p3_remembered {
    p3_learned at[P3_LEARNED_MOST];
    size_t count;
    p3_broken broken;   /* messages at whose deletion sessions broke */
    p3_problem problem; /* why it could not be read; exit 0: it was read */
} p3_remembered;

/* The path of the state: --state, else the setting, else (*usual) the default. NULL when there is
 * none, or when out of memory; free() it. */
char *p3_state_path(const p3_arguments *a, bool *usual);

/* Reads what was learned about an account's server, without changing anything; nothing if there is
 * no state. */
void p3_remembered_read(p3_remembered *r, const p3_arguments *a, const p3_account *account);

/* Describes a trait: its name and meaning, when it was learned and when it expires, and the setting
 * for it. */
void p3_learned_text(const p3_learned *l, const p3_account *account, char *out, size_t size);

/* The same for messages at whose deletion sessions broke; there must be some. */
void p3_broken_text(const p3_broken *b, const p3_account *account, char *out, size_t size);

/* All learned traits together with those of the account's settings; only the latter if the settings
 * say so. */
pop3_server_traits p3_remembered_traits(const p3_remembered *r, const p3_account *account);

#endif
