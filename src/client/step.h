/* The step, for the handle. */
#ifndef P3_CLIENT_STEP_H
#define P3_CLIENT_STEP_H

#include "client/client_state.h"

/* Closes the connection, if there is one, with an error, or with none (NULL). */
void p3_step_close(pop3_client *c, p3_fault *fault);

#endif
