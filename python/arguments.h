/* Binds the arguments of a call to parameters by position and by name, with the errors that a
 * function written in Python raises. */
#ifndef CPOPLIB_ARGUMENTS_H
#define CPOPLIB_ARGUMENTS_H

#include "module.h"

enum { CPOPLIB_MAX_PARAMETERS = 6 };

/* What a method takes, `self` left out. */
typedef struct cpoplib_signature {
    const char *name;                          /* "POP3.retr" */
    const char *names[CPOPLIB_MAX_PARAMETERS]; /* the parameters' names */
    int count;                                 /* how many parameters there are */
    int required;                              /* the first so many have no default */
    int positional;                            /* the first so many may be given by position */
} cpoplib_signature;

/* Binds the arguments of any METH_FASTCALL | METH_KEYWORDS call. */
bool cpoplib_bind_any(const cpoplib_signature *signature, PyObject *const *args, Py_ssize_t nargs,
                      PyObject *kwnames, PyObject **values);

/* The same, short for the call that nearly all are: all positional parameters are given, and no
 * other. values receives a borrowed reference for each parameter, NULL for one not given. */
static inline bool cpoplib_bind(const cpoplib_signature *signature, PyObject *const *args,
                                Py_ssize_t nargs, PyObject *kwnames, PyObject **values)
{
    if (kwnames != NULL || nargs != signature->positional)
        return cpoplib_bind_any(signature, args, nargs, kwnames, values);
    for (int i = 0; i < signature->count; i++)
        values[i] = i < signature->positional ? args[i] : NULL;
    return true;
}

/* The same for a call with a tuple and a dict or NULL, as __init__ gets. */
bool cpoplib_bind_tuple(const cpoplib_signature *signature, PyObject *args, PyObject *kwargs,
                        PyObject **values);

#endif
