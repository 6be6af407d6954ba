/* What poplib does not have, except retr_many() (window.h) and auth() (authenticate.h). */
#ifndef CPOPLIB_EXTRAS_H
#define CPOPLIB_EXTRAS_H

#include "base.h"

/* Methods of POP3, and its property `capabilities`. */
PyObject *cpoplib_retr_bytes(PyObject *self, PyObject *which);
PyObject *cpoplib_retr_into(PyObject *self, PyObject *which, PyObject *file);
PyObject *cpoplib_exit(PyObject *self, PyObject *exception_type);
PyObject *cpoplib_capabilities(PyObject *self, void *unused);

/* What a server announces, as a Capabilities. */
PyObject *cpoplib_build_capabilities(const cpoplib_state *state, const pop3_capabilities *caps);

int cpoplib_add_capabilities(cpoplib_state *state);

#endif
