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
    struct cpoplib_run *ahead; /* what replies in flight belong to, borrowed, or NULL: no one wants
                                  them any more; see cpoplib_run.owner */
    bool capabilities_asked;   /* CAPA was answered, whatever with, since `engine` was made */
    PyObject *kept; /* list of a few lines of the last long reply, or NULL; see keep_memory() */
    unsigned long thread; /* that waits for a command's reply, or 0: others may not use it now */
    bool busy;            /* the engine is at work, perhaps without the GIL */
    bool forget;          /* free the engine as soon as it is not busy */
} cpoplib_client;

#endif
