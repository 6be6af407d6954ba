/* The octets of a message: collected in bytes, or written to the caller's file. */
#ifndef CPOPLIB_MESSAGE_H
#define CPOPLIB_MESSAGE_H

#include "base.h"

typedef struct cpoplib_message {
    bool wanted;      /* otherwise it is read and discarded */
    PyObject *file;   /* where it is written, or NULL: it is collected in `body` */
    uint64_t written; /* octets written to it */
    PyObject *body;   /* bytes being filled, with free room; NULL when empty */
    Py_ssize_t used;  /* octets of the message in `body` */
} cpoplib_message;

/* Adds pieces to the body, or writes them to the file. 0, or -1 with an exception. */
int cpoplib_message_add(const cpoplib_state *state, cpoplib_message *m, const pop3_str *spans,
                        size_t count);

/* The bytes collected since the message began; empty afterwards. */
PyObject *cpoplib_message_take(cpoplib_message *m);

/* Frees what was collected. */
void cpoplib_message_clear(cpoplib_message *m);

#endif
