/* Whose turn a connection is. One thread at a time uses its engine, which is also what is in flight
 * on it; another one gets RuntimeError, or, when it only closes the connection, leaves a word for
 * the one at work. With the GIL a turn ends where Python code cannot tell; without it, this is the
 * connection's lock. */
#ifndef CPOPLIB_ENGINE_LOCK_H
#define CPOPLIB_ENGINE_LOCK_H

#include "client.h"

/* Begins a turn, or one more within a turn of the same thread: what a command calls may send
 * commands of its own. False with RuntimeError when it is another thread's. */
bool cpoplib_engine_lock(cpoplib_client *client);

/* The same without an exception. */
bool cpoplib_engine_try_lock(cpoplib_client *client);

/* Ends it. Whatever exception is set stays. */
void cpoplib_engine_unlock(cpoplib_client *client);

/* Makes a run, or nothing (NULL), the one that replies in flight belong to. In a turn. */
void cpoplib_set_ahead(cpoplib_client *client, struct cpoplib_run *run);

/* Drops the engine and what it knows, at the end of the turn or the use of it that is under way:
 * the connection is another, or over. */
void cpoplib_forget_engine(cpoplib_client *client);

#endif
