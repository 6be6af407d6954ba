/* The object for a connection. */
#ifndef CPOPLIB_CLIENT_H
#define CPOPLIB_CLIENT_H

#include "base.h"

/* A connection: an instance of POP3. Attributes of poplib are in the instance's dict, so that
 * subclasses, vars() and assignments find them there. */
typedef struct cpoplib_client {
    PyObject_HEAD PyObject *dict;
    PyObject *weakrefs;
    pop3_engine *engine; /* for what poplib does not have; NULL until it is needed */
    struct cpoplib_run
        *ahead;              /* the owner of replies in flight, held, or NULL: they are discarded */
    bool capabilities_asked; /* CAPA was answered in any way since `engine` was created */
    PyObject *kept; /* list of a few lines of the last long reply, or NULL; see keep_memory() */
    atomic_ulong thread; /* the thread that uses the engine, or 0: see engine_lock.h. The engine,
                            `ahead`, and their fields belong to that thread */
    unsigned depth;      /* nested uses by that thread */
    bool busy;           /* the engine is running, perhaps without the GIL */
    atomic_bool forget;  /* free the engine when it is not busy */
} cpoplib_client;

/* Sets `kept`; steals the reference, which may be NULL. */
static inline void cpoplib_keep(cpoplib_client *client, PyObject *kept)
{
    PyObject *before;
    CPOPLIB_LOCK(client);
    before = client->kept;
    client->kept = kept;
    CPOPLIB_UNLOCK();
    Py_XDECREF(before);
}

#endif
