/* Long replies. */
#ifndef CPOPLIB_LONG_REPLY_H
#define CPOPLIB_LONG_REPLY_H

#include "base.h"

/* The method _getlongresp. */
PyObject *cpoplib_getlongresp(PyObject *self);

/* The rest of a long reply whose status line has been read; steals the reference to it. */
PyObject *cpoplib_rest_of_reply(const cpoplib_state *state, PyObject *self, PyObject *resp);

#endif
