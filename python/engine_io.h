/* Runs the sans-I/O engine over a connection's socket and file, for what poplib does not have. The
 * engine is told that the greeting has come; the login is poplib's business or its own. Between its
 * uses nothing is in flight, and poplib's methods use the same socket and file. */
#ifndef CPOPLIB_ENGINE_IO_H
#define CPOPLIB_ENGINE_IO_H

#include "run.h"
#include "engine_lock.h"

/* The client's engine, made when there is none. NULL with an exception. */
pop3_engine *cpoplib_engine(cpoplib_client *client);

/* -1 with RuntimeError while the engine is at work: something that it called may not use it now. In
 * a turn, as all that follows but for cpoplib_hang_up() and cpoplib_settle(). */
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

/* error_proto with the line that the server refused a command with. */
void cpoplib_raise_refusal(const cpoplib_state *state, const pop3_event *done);

/* Reads the replies that are still in flight: those of client->ahead go to it, others are dropped.
 * Every use of the connection begins with it, before a command goes out: what is queued would go
 * out behind that one, and take its reply. */
int cpoplib_settle(const cpoplib_state *state, cpoplib_client *client);

/* Told of each command line that poplib's methods send, in a turn or not: a login or STLS changes
 * what the server offers. */
void cpoplib_note_command(cpoplib_client *client, PyObject *line);

#endif
