/* What a client's failure means for people, and as an exit status. */
#ifndef P3_SYNC_FAILURE_TEXT_H
#define P3_SYNC_FAILURE_TEXT_H

#include <pop3/login.h>

#include "sync/sync.h"

/* Describes how the last thing that the client did failed. `login`: it had to do with logging in.
 */
void p3_describe_failure(const pop3_client *client, pop3_status status, bool login,
                         p3_problem *out);

/* Whether the server only wants us to come back later. */
bool p3_is_for_later(const pop3_client *client, pop3_status status);

#endif
