/* The object that stands for one connection. */
#ifndef CPOPLIB_CLIENT_H
#define CPOPLIB_CLIENT_H

#include "base.h"

/* A connection: an instance of POP3. What poplib keeps as attributes is in the instance's dict here
 * too, so that subclasses, vars() and assignments find it there. */
typedef struct cpoplib_client {
    PyObject_HEAD PyObject *dict;
    PyObject *weakrefs;
    pop3_engine *engine;       /* drives what poplib does not have; NULL until that is used */
    struct cpoplib_run *ahead; /* what replies in flight belong to, held, or NULL: no one wants them
                                  any more */
    bool capabilities_asked;   /* CAPA was answered, whatever with, since `engine` was made */
    PyObject *kept; /* list of a few lines of the last long reply, or NULL; see keep_memory() */
    atomic_ulong thread; /* whose turn it is, or 0: see engine_lock.h. The engine, `ahead`, and what
                            is about them are that thread's alone */
    unsigned depth;      /* turns of that thread within each other */
    bool busy;           /* the engine is at work, perhaps without the GIL */
    atomic_bool forget;  /* free the engine as soon as it is not busy */
} cpoplib_client;

/* Changes `kept`; steals the reference, which may be NULL. */
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
