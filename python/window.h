/* What retr_many() returns: an iterator over messages that are asked for ahead of their turn. */
#ifndef CPOPLIB_WINDOW_H
#define CPOPLIB_WINDOW_H

#include "engine_io.h"

/* The method retr_many. */
PyObject *cpoplib_retr_many(PyObject *self, PyObject *numbers, PyObject *window);

/* The run that the replies in flight belong to. */
cpoplib_run *cpoplib_window_run(PyObject *window);

int cpoplib_add_window(PyObject *module, cpoplib_state *state);

#endif
