/* One use of a connection's engine: its parameters, and the receiver of its events. */
#ifndef CPOPLIB_RUN_H
#define CPOPLIB_RUN_H

#include "client.h"
#include "message.h"

typedef struct cpoplib_run cpoplib_run;

/* Called for each REPLY, ENTRY and CHALLENGE, and for each DONE with POP3_OK or POP3_ERR_REFUSED: a
 * failed connection ends the use by itself. -1 with an exception ends it too; what is in flight
 * then is read and discarded later. */
typedef int cpoplib_event_fn(cpoplib_run *run, const pop3_event *event);

struct cpoplib_run {
    const cpoplib_state *state;
    cpoplib_client *client;
    cpoplib_event_fn *on_event;
    void *target;         /* for on_event */
    const char *at_close; /* raised if the server closes the connection; NULL: as in poplib */
    bool secret;          /* hide sent lines in debug output */
    cpoplib_message message;
    /* For a run that outlives a call, as cpoplib_client.ahead, and is freed when nobody holds it:
     */
    atomic_uint holders;
    atomic_bool abandoned; /* its replies are discarded */
    void (*free)(cpoplib_run *run);
};

/* Acquires and releases such a run. */
void cpoplib_run_hold(cpoplib_run *run);
void cpoplib_run_release(cpoplib_run *run);

#endif
