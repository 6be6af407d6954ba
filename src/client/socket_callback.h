/* The descriptors that an event loop has been told to wait on. */
#ifndef P3_CLIENT_SOCKET_CALLBACK_H
#define P3_CLIENT_SOCKET_CALLBACK_H

#include <pop3/client.h>

#include "io/wait.h"

/* All zero at first. */
typedef struct p3_socket_callback {
    p3_wait_set known;
} p3_socket_callback;

/* Calls the function in the options, if there is one, for all changes: first for descriptors that
 * are no longer waited on, then for new ones and those with other events. */
void p3_socket_callback_update(p3_socket_callback *a, pop3_client *client,
                               const pop3_client_options *o, const p3_wait_set *now);

#endif
