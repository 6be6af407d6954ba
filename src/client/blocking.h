/* Shared by the blocking calls. */
#ifndef P3_CLIENT_BLOCKING_H
#define P3_CLIENT_BLOCKING_H

#include "client/client_state.h"

/* Begins a blocking call, which `doing` names in an error: POP3_OK; POP3_ERR_STATE within a
 * callback; or how the connection ended, if no call has reported that yet (ending.h). */
pop3_status p3_call_begin(pop3_client *c, const char *doing);

#endif
