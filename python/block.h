/* A block of memory that Python code may be shown: it does not move and does not shrink while
 * anybody has a view of it, whatever is done to that view. (A bytearray shrinks when its view has
 * been released, and is reached through the view.) */
#ifndef CPOPLIB_BLOCK_H
#define CPOPLIB_BLOCK_H

#include "base.h"

typedef struct cpoplib_block {
    PyObject_VAR_HEAD Py_ssize_t shown_from; /* a view begins at this octet, and goes to the end */
    char data[];
} cpoplib_block;

/* A block of that many octets, whose content is whatever was there. NULL with an exception. */
cpoplib_block *cpoplib_block_new(const cpoplib_state *state, Py_ssize_t size);

int cpoplib_add_block(PyObject *module, cpoplib_state *state);

#endif
