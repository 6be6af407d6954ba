/* The iterator of retr_many() over messages that are requested in advance. */
#ifndef CPOPLIB_WINDOW_H
#define CPOPLIB_WINDOW_H

#include "base.h"

/* The method retr_many. */
PyObject *cpoplib_retr_many(PyObject *self, PyObject *numbers, PyObject *window);

int cpoplib_add_window(PyObject *module, cpoplib_state *state);

#endif
