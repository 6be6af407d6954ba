/* What an event loop has been told of the descriptors to wait on. */
#ifndef P3_CLIENT_ANNOUNCED_H
#define P3_CLIENT_ANNOUNCED_H

#include <pop3/client.h>

#include "io/wait.h"

/* All zero at first. */
typedef struct p3_announced {
    p3_wait_set known;
} p3_announced;

/* Tells the function in the options, if there is one, what has changed: first what is no longer
 * waited on, then what is new or waited on for something else. */
void p3_announce(p3_announced *a, pop3_client *client, const pop3_client_options *o,
                 const p3_wait_set *now);

#endif
