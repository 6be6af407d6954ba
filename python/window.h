/* What retr_many() returns: an iterator over messages that are asked for ahead of their turn. */
#ifndef CPOPLIB_WINDOW_H
#define CPOPLIB_WINDOW_H

#include "base.h"

/* The method retr_many. */
PyObject *cpoplib_retr_many(PyObject *self, PyObject *numbers, PyObject *window);

int cpoplib_add_window(PyObject *module, cpoplib_state *state);

#endif
