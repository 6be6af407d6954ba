/* Translates a client's failure into a message for the user and an exit status. */
#ifndef P3_COLLECT_FAILURE_TEXT_H
#define P3_COLLECT_FAILURE_TEXT_H

#include <pop3/login.h>

#include "collect/account.h"

/* Describes the failure of the client's last operation, with advice. */
void p3_describe_failure(const pop3_client *client, pop3_status status, p3_problem *out);

/* The same for an account: if tokens are missing, it says how to obtain them. */
void p3_describe_failure_of(const pop3_client *client, const p3_account *account,
                            pop3_status status, p3_problem *out);

/* Describes why pop3_client_new() has just failed; errno must be unchanged. */
void p3_describe_no_client(pop3_status status, p3_problem *out);

/* Whether the server announces no other mechanisms than those for tokens. */
bool p3_takes_only_tokens(const pop3_client *client);

/* Describes an error that ended an operation with `status`. */
void p3_describe_error(const pop3_error *e, pop3_status status, p3_problem *out);

/* The same for a message that was refused in a run that continues with the others: it stays on the
 * server, and the next run requests it again. */
void p3_describe_refused_message(const pop3_client *client, p3_problem *out);

/* The advice alone; "" for none. */
const char *p3_advice_on_failure(const pop3_client *client, pop3_status status);

/* Whether the server asks to come back later. */
bool p3_is_for_later(const pop3_client *client, pop3_status status);

#endif
