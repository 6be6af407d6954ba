/* Runs the sans-I/O engine over a connection's socket and file, for what poplib does not have. The
 * engine is told that the greeting has come; the login is poplib's business or its own. Between its
 * uses nothing is in flight, and poplib's methods use the same socket and file. */
#ifndef CPOPLIB_ENGINE_IO_H
#define CPOPLIB_ENGINE_IO_H

#include "module.h"

/* One use of the engine: whom its events go to. */
typedef struct cpoplib_run cpoplib_run;

/* Told of each REPLY, ENTRY and CHALLENGE, and of each DONE with POP3_OK or POP3_ERR_REFUSED: a
 * connection that fails ends the use by itself. -1 with an exception ends it too; what is in flight
 * then is read and dropped later. */
typedef int cpoplib_event_fn(cpoplib_run *run, const pop3_event *event);

struct cpoplib_run {
    const cpoplib_state *state;
    cpoplib_client *client;
    cpoplib_event_fn *on_event;
    void *target;     /* for on_event */
    bool secret;      /* what is sent is not to be shown in debug output */
    bool collect;     /* messages are wanted */
    PyObject *file;   /* where they are written, or NULL: they are gathered in `body` */
    uint64_t written; /* octets written to it */
    PyObject *body;   /* bytes being filled, with room behind; NULL when empty */
    Py_ssize_t used;  /* octets of the message in `body` */
};

/* The client's engine, made when there is none. NULL with an exception. */
pop3_engine *cpoplib_engine(cpoplib_client *client);

/* -1 with RuntimeError while the engine is at work: another thread, or something it called, may not
 * use it now. */
int cpoplib_check_idle(const cpoplib_client *client);

/* Closes a connection that cannot be used any further, so that nobody takes what is left of it for
 * the answer to something else. The exception that is set stays. */
void cpoplib_hang_up(const cpoplib_state *state, PyObject *client);

/* Queues a command. Raises ValueError for an argument that cannot be sent. */
int cpoplib_submit(const cpoplib_state *state, pop3_engine *engine, const pop3_command *command);

/* Sends what is to be sent, reads once if something is awaited, and hands out the events. Returns 1
 * when it did something, 0 when there was nothing to do, -1 with an exception. */
int cpoplib_step(cpoplib_run *run);

/* Steps until no command is pending. */
int cpoplib_finish(cpoplib_run *run);

/* message.c: adds pieces of a message to the body, or writes them to the file. 0, or -1 with an
 * exception. */
int cpoplib_keep(cpoplib_run *run, const pop3_str *spans, size_t count);

/* Frees what a run gathered. */
void cpoplib_run_clear(cpoplib_run *run);

/* The bytes gathered since the message began; the run has none afterwards. */
PyObject *cpoplib_take_body(cpoplib_run *run);

/* error_proto with the line that the server refused a command with. */
void cpoplib_raise_refusal(const cpoplib_state *state, const pop3_event *done);

/* Reads the replies that are still in flight: those of a retr_many() go to it, others are dropped.
 * Every use of the connection begins with it, before a command goes out: what is queued would go
 * out behind that one, and take its reply. */
int cpoplib_settle(const cpoplib_state *state, cpoplib_client *client);

/* Drops the engine and what it knows: the connection is another, or over. */
void cpoplib_forget_engine(cpoplib_client *client);

/* Told of each command line that poplib's methods send: a login or STLS changes what the server
 * offers. */
void cpoplib_note_command(cpoplib_client *client, PyObject *line);

/* extras.c and authenticate.c: a message number from an int or a str of digits (false with an
 * exception), and methods of POP3. */
bool cpoplib_message_number(PyObject *object, uint32_t *number);
PyObject *cpoplib_retr_bytes(PyObject *self, PyObject *which);
PyObject *cpoplib_retr_into(PyObject *self, PyObject *which, PyObject *file);
PyObject *cpoplib_capabilities(PyObject *self, void *unused);
PyObject *cpoplib_auth(PyObject *self, PyObject *mechanism, PyObject *authobject,
                       int initial_response_ok);
PyObject *cpoplib_exit(PyObject *self, PyObject *exception_type);
int cpoplib_add_capabilities(cpoplib_state *state);

#endif
