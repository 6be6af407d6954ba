/* The lock of a connection's engine. One thread at a time uses the engine, and what is in flight;
 * another one gets RuntimeError, or, if it only closes the connection, leaves a request for the
 * first one. With the GIL the lock is released where Python code cannot notice; without it, this is
 * the connection's lock. */
#ifndef CPOPLIB_ENGINE_LOCK_H
#define CPOPLIB_ENGINE_LOCK_H

#include "client.h"

/* Acquires the lock, again for the same thread: what a command calls may send commands of its own.
 * False with RuntimeError if another thread has it. */
bool cpoplib_engine_lock(cpoplib_client *client);

/* The same without an exception. */
bool cpoplib_engine_try_lock(cpoplib_client *client);

/* Releases it. Keeps the current exception. */
void cpoplib_engine_unlock(cpoplib_client *client);

/* Makes a run, or nothing (NULL), the owner of replies in flight. With the lock. */
void cpoplib_set_ahead(cpoplib_client *client, struct cpoplib_run *run);

/* Discards the engine and its knowledge when the lock is released or its current use ends: the
 * connection has been replaced or closed. */
void cpoplib_forget_engine(cpoplib_client *client);

#endif
