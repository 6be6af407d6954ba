/* Runs the sans-I/O engine over a connection's socket and file, for what poplib does not have. The
 * engine is given the greeting; poplib's commands or its own do the login. Between uses nothing is
 * in flight, and poplib's methods use the same socket and file. */
#ifndef CPOPLIB_ENGINE_IO_H
#define CPOPLIB_ENGINE_IO_H

#include "run.h"
#include "engine_lock.h"

/* The client's engine, created if needed. NULL with an exception. */
pop3_engine *cpoplib_engine(cpoplib_client *client);

/* -1 with RuntimeError while the engine is running: code that it called may not use it now. Needs
 * the lock, like all of the following except cpoplib_hang_up() and cpoplib_settle(). */
int cpoplib_check_idle(const cpoplib_client *client);

/* Closes a connection that cannot be used any further, so that nothing left on it is taken for the
 * answer to something else. Keeps the current exception. */
void cpoplib_hang_up(const cpoplib_state *state, PyObject *client);

/* Queues a command. Raises ValueError for an argument that cannot be sent. */
int cpoplib_submit(const cpoplib_state *state, pop3_engine *engine, const pop3_command *command);

/* Sends the output, reads once if a reply is awaited, and passes on the events. Returns 1 when it
 * did something, 0 when there was nothing to do, -1 with an exception. */
int cpoplib_step(cpoplib_run *run);

/* Steps until no command is pending. */
int cpoplib_finish(cpoplib_run *run);

/* error_proto with the status line of a refusal. */
void cpoplib_raise_refusal(const cpoplib_state *state, const pop3_event *done);

/* Reads the replies that are still in flight: those of client->ahead go to it, others are
 * discarded. Every use of the connection begins with it, before a command is sent, because queued
 * commands would be sent after that one, and take its reply. */
int cpoplib_settle(const cpoplib_state *state, cpoplib_client *client);

/* Called for each command line that poplib's methods send, with or without the lock: a login or
 * STLS changes the capabilities. */
void cpoplib_note_command(cpoplib_client *client, PyObject *line);

#endif
