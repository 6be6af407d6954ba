/* Submitted commands, from submission to their end: those that wait, and those that the engine has.
 */
#ifndef P3_CLIENT_REQUESTS_H
#define P3_CLIENT_REQUESTS_H

#include <pop3/client.h>

#include "client/reply.h"

/* A submitted command. */
typedef struct p3_request p3_request;

typedef struct p3_requests {
    p3_request *first; /* of those that wait: submitted, not yet handed to the engine */
    p3_request **last;
    p3_request *spare;     /* to use again */
    size_t under_way;      /* waiting, in the engine, or taken and not finished */
    p3_kept_reply opening; /* to the command whose lines are coming */
    bool fresh;            /* something was submitted since the last step */
    bool quit;             /* QUIT was submitted: nothing may follow */
    bool used;             /* the caller has submitted more than CAPA, not behind a login */
} p3_requests;

void p3_requests_init(p3_requests *q);

/* Takes a program's handlers, or none, whose version of the struct may be another one, into ours.
 * False where they cannot be understood. */
bool p3_handlers_take(pop3_handlers *to, const pop3_handlers *from);

/* A connection begins. */
void p3_requests_begin(p3_requests *q);

/* Hands a command straight to the engine, whatever waits. */
pop3_status p3_requests_send(p3_requests *q, pop3_engine *engine, const pop3_command *command,
                             const pop3_handlers *handlers);

/* Puts a command, with a copy of its text, at the end of those that wait. */
pop3_status p3_requests_hold(p3_requests *q, const pop3_command *command,
                             const pop3_handlers *handlers);

/* Notes what the caller has submitted; `behind_login`: it waits for a login to be over. */
void p3_requests_note(p3_requests *q, pop3_command_kind kind, bool behind_login);

/* A step is over: nothing is fresh. */
void p3_requests_seen(p3_requests *q);

/* The command of the first that waits, or NULL. */
const pop3_command *p3_requests_first(const p3_requests *q);

/* Takes the first that waits off; p3_requests_finish() is its end. */
p3_request *p3_requests_take(p3_requests *q);

/* Hands one that was taken to the engine. */
pop3_status p3_requests_pass(pop3_engine *engine, p3_request *r);

/* Octets of a message have come for a request; what its sink wants. */
pop3_sink_result p3_request_body(p3_request *r, pop3_str data);

/* A line of a listing has come for a request. */
void p3_request_entry(p3_request *r, const pop3_entry *entry, pop3_str line);

/* The status line of the command whose lines follow has come. */
void p3_requests_open(p3_requests *q, const pop3_reply *reply);

/* Its lines are over. */
void p3_requests_shut(p3_requests *q);

/* The end of a request: completes the result, frees the request, and returns who is to be told. */
pop3_handlers p3_requests_finish(p3_requests *q, p3_request *r, pop3_result *result);

/* Forgets what the engine holds, telling nobody: before another connection is made in place of one
 * on which only the client's own CAPA was sent. */
void p3_requests_forget(p3_requests *q, pop3_engine *engine);

/* Frees spare requests. */
void p3_requests_free(p3_requests *q);

#endif
