/* The type of POP3's methods. poplib's are functions written in Python, which tools inspect: their
 * parameters (inspect), whether a call fits them (unittest.mock.create_autospec), their type. Ours
 * give the same answers, and are called directly. */
#ifndef CPOPLIB_FUNCTION_H
#define CPOPLIB_FUNCTION_H

#include "base.h"

/* One row of a table of methods. */
typedef struct cpoplib_method {
    const char *type;       /* "POP3" */
    const char *name;       /* "retr" */
    const char *parameters; /* "(self, which)", with defaults as Python would evaluate them */
    const char *doc;
    PyObject *(*call)(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
} cpoplib_method;

/* Makes a function of each row, up to one without a name, and adds it to the type. 0, or -1 with an
 * exception. */
int cpoplib_add_methods(const cpoplib_state *state, PyTypeObject *type,
                        const cpoplib_method *methods);

int cpoplib_add_function(PyObject *module, cpoplib_state *state);

#endif
