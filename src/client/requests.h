/* Submitted commands, from submission to their end: those that wait, and those in the engine. */
#ifndef P3_CLIENT_REQUESTS_H
#define P3_CLIENT_REQUESTS_H

#include <pop3/client.h>

#include "client/reply.h"

/* A submitted command. */
typedef struct p3_request p3_request;

typedef struct p3_requests {
    p3_request *first; /* waiting requests: submitted, not yet in the engine */
    p3_request **last;
    p3_request *spare;     /* freed requests for reuse */
    size_t under_way;      /* waiting, in the engine, or taken and not finished */
    p3_kept_reply opening; /* to the command whose lines are being received */
    bool fresh;            /* something was submitted since the last step */
    bool quit;             /* QUIT was submitted: nothing may follow it */
    bool used; /* the caller has submitted something other than CAPA, not after a login */
} p3_requests;

void p3_requests_init(p3_requests *q);

/* Copies a program's handlers, or none, whose struct may be of another version, into ours. False
 * when they are invalid. */
bool p3_handlers_import(pop3_handlers *to, const pop3_handlers *from);

/* A connection begins. */
void p3_requests_begin(p3_requests *q);

/* Submits a command directly to the engine, before waiting requests. */
pop3_status p3_requests_send(p3_requests *q, pop3_engine *engine, const pop3_command *command,
                             const pop3_handlers *handlers);

/* Appends a command, with a copy of its text, to the waiting ones. */
pop3_status p3_requests_hold(p3_requests *q, const pop3_command *command,
                             const pop3_handlers *handlers);

/* Records what the caller has submitted; `behind_login`: it waits for a login. */
void p3_requests_note(p3_requests *q, pop3_command_kind kind, bool behind_login);

/* A step has ended: nothing is fresh any more. */
void p3_requests_seen(p3_requests *q);

/* The command of the first waiting request, or NULL. */
const pop3_command *p3_requests_first(const p3_requests *q);

/* Removes the first waiting request; p3_requests_finish() ends it. */
p3_request *p3_requests_take(p3_requests *q);

/* Submits a request that was taken to the engine. */
pop3_status p3_requests_pass(pop3_engine *engine, p3_request *r);

/* Octets of a message for a request: returns the result of its sink. */
pop3_sink_result p3_request_body(p3_request *r, pop3_str data);

/* A line of a listing for a request. */
void p3_request_entry(p3_request *r, const pop3_entry *entry, pop3_str line);

/* The status line of a command with a long answer has been received. */
void p3_requests_open(p3_requests *q, const pop3_reply *reply);

/* The lines of a long answer have ended. */
void p3_requests_shut(p3_requests *q);

/* The end of a request: completes the result, frees the request, and returns the handlers to call.
 */
pop3_handlers p3_requests_finish(p3_requests *q, p3_request *r, pop3_result *result);

/* Discards the engine's requests without calling handlers: before another connection replaces one
 * on which only the client's own CAPA was sent. */
void p3_requests_forget(p3_requests *q, pop3_engine *engine);

/* Frees spare requests. */
void p3_requests_free(p3_requests *q);

#endif
