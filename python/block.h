/* A block of memory for Python code: it neither moves nor shrinks while a view of it exists,
 * whatever is done to that view. (A bytearray can shrink when its view has been released, which is
 * possible through the view.) */
#ifndef CPOPLIB_BLOCK_H
#define CPOPLIB_BLOCK_H

#include "base.h"

typedef struct cpoplib_block {
    PyObject_VAR_HEAD Py_ssize_t
        shown_from; /* a view begins at this octet, and extends to the end */
    char data[];
} cpoplib_block;

/* A block of that many octets with undefined content. NULL with an exception. */
cpoplib_block *cpoplib_block_new(const cpoplib_state *state, Py_ssize_t size);

int cpoplib_add_block(PyObject *module, cpoplib_state *state);

#endif
