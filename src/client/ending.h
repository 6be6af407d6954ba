/* How a connection ended, and which error the caller is to see. */
#ifndef P3_CLIENT_ENDING_H
#define P3_CLIENT_ENDING_H

#include "client/failure.h"

typedef struct p3_ending {
    pop3_status ended;  /* how the last connection ended; POP3_OK while there is one, or none was */
    bool untold;        /* it ended by itself after the last call was over: the next is to tell */
    char place[300];    /* "host:port" for messages */
    p3_failure failure; /* the last error */
    p3_failure kept;    /* of a call that is over, then of an end that is `untold` */
} p3_ending;

/* No connection, no error; the server's name in sentences. */
void p3_ending_init(p3_ending *e, const pop3_client_options *o);

/* A connection begins: nothing has gone wrong. */
void p3_ending_begin(p3_ending *e);

/* Notes an error. */
void p3_ending_note(p3_ending *e, const p3_fault *fault);

/* Makes an error that was written before the last one. */
void p3_ending_set(p3_ending *e, const p3_failure *failure);

/* The connection is over. */
void p3_ending_close(p3_ending *e, pop3_status ended);

/* It did no harm that it ended: the error is no error. */
void p3_ending_forgive(p3_ending *e);

/* A blocking call begins: POP3_OK; or how the connection ended, when that happened in the very step
 * in which the last call was over: that call returned as it ended, with its own error, and no call
 * has told the connection's end yet. */
pop3_status p3_ending_call_begin(p3_ending *e);

/* Within the last callback of a call: keeps its error. */
void p3_ending_call_over(p3_ending *e, pop3_status status);

/* Ends it: notes whether the next call is to tell an end. */
void p3_ending_call_end(p3_ending *e, pop3_status status, bool connected);

#endif
