/* What a client's failure means for people, and as an exit status. */
#ifndef P3_COLLECT_FAILURE_TEXT_H
#define P3_COLLECT_FAILURE_TEXT_H

#include <pop3/login.h>

#include "collect/account.h"

/* Describes how the last thing that the client did failed, with what a person can do about it. */
void p3_describe_failure(const pop3_client *client, pop3_status status, p3_problem *out);

/* The same of an account: where tokens mend it, it says how they are obtained. */
void p3_describe_failure_of(const pop3_client *client, const p3_account *account,
                            pop3_status status, p3_problem *out);

/* Describes why there is no client: pop3_client_new() has just failed, and errno is its. */
void p3_describe_no_client(pop3_status status, p3_problem *out);

/* Whether all that the server announces to log in with are tokens. */
bool p3_takes_only_tokens(const pop3_client *client);

/* Describes an error in hand, which ended something with `status`. */
void p3_describe_error(const pop3_error *e, pop3_status status, p3_problem *out);

/* The same where one message was refused in a run that goes on with the others: it stays on the
 * server, and the next run asks for it again. */
void p3_describe_refused_message(const pop3_client *client, p3_problem *out);

/* What a person can do about it, alone; "" for nothing. */
const char *p3_advice_on_failure(const pop3_client *client, pop3_status status);

/* Whether the server only wants us to come back later. */
bool p3_is_for_later(const pop3_client *client, pop3_status status);

#endif
