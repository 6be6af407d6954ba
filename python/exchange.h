/* A command and its reply: what poplib's _shortcmd and _longcmd do. */
#ifndef CPOPLIB_EXCHANGE_H
#define CPOPLIB_EXCHANGE_H

#include "base.h"

/* The methods of the same names. */
PyObject *cpoplib_shortcmd(PyObject *self, PyObject *line);
PyObject *cpoplib_longcmd(PyObject *self, PyObject *line);

#endif
