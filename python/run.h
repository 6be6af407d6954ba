/* One use of a connection's engine: what it is about, and whom its events go to. */
#ifndef CPOPLIB_RUN_H
#define CPOPLIB_RUN_H

#include "client.h"
#include "message.h"

typedef struct cpoplib_run cpoplib_run;

/* Told of each REPLY, ENTRY and CHALLENGE, and of each DONE with POP3_OK or POP3_ERR_REFUSED: a
 * connection that fails ends the use by itself. -1 with an exception ends it too; what is in flight
 * then is read and dropped later. */
typedef int cpoplib_event_fn(cpoplib_run *run, const pop3_event *event);

struct cpoplib_run {
    const cpoplib_state *state;
    cpoplib_client *client;
    cpoplib_event_fn *on_event;
    void *target;         /* for on_event */
    const char *at_close; /* what is raised when the server closes; NULL: as poplib */
    bool secret;          /* what is sent is not to be shown in debug output */
    cpoplib_message message;
    /* Of a run that outlives a call, as cpoplib_client.ahead, and is freed when nobody holds it: */
    atomic_uint holders;
    atomic_bool abandoned; /* nobody wants its answers any more */
    void (*free)(cpoplib_run *run);
};

/* Holds such a run, and lets go of it. */
void cpoplib_run_hold(cpoplib_run *run);
void cpoplib_run_release(cpoplib_run *run);

#endif
