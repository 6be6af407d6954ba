/* How a connection ended, and which error the caller gets. */
#ifndef P3_CLIENT_ENDING_H
#define P3_CLIENT_ENDING_H

#include "client/failure.h"

typedef struct p3_ending {
    pop3_status
        ended; /* how the last connection ended; POP3_OK while there is one, or before the first */
    bool untold;        /* it ended by itself after the last call: the next call reports it */
    char place[300];    /* "host:port" for messages */
    p3_failure failure; /* the last error */
    p3_failure kept;    /* of a call that has ended, then of an end that is `untold` */
} p3_ending;

/* Initializes: no connection, no error; stores the server's name for messages. */
void p3_ending_init(p3_ending *e, const pop3_client_options *o);

/* A connection begins: clears the error. */
void p3_ending_begin(p3_ending *e);

/* Records an error. */
void p3_ending_note(p3_ending *e, const p3_fault *fault);

/* Records an error that was written earlier. */
void p3_ending_set(p3_ending *e, const p3_failure *failure);

/* The connection has ended. */
void p3_ending_close(p3_ending *e, pop3_status ended);

/* The end of the connection did no harm: removes the error. */
void p3_ending_forgive(p3_ending *e);

/* A blocking call begins: POP3_OK; or how the connection ended, if it ended in the step in which
 * the last call ended. That call returned its own error, and no call has reported the end yet. */
pop3_status p3_ending_call_begin(p3_ending *e);

/* Within the last callback of a call: keeps its error. */
void p3_ending_call_over(p3_ending *e, pop3_status status);

/* A call ends: records whether the next call must report an end. */
void p3_ending_call_end(p3_ending *e, pop3_status status, bool connected);

#endif
