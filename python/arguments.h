/* The arguments of a call: bound to parameters by position and by name, with the errors of a
 * function written in Python; and the macros for a table of methods. */
#ifndef CPOPLIB_ARGUMENTS_H
#define CPOPLIB_ARGUMENTS_H

#include "base.h"

enum { CPOPLIB_MAX_PARAMETERS = 6 };

/* The parameters of a method, without `self`. */
typedef struct cpoplib_signature {
    const char *name;                          /* "POP3.retr" */
    const char *names[CPOPLIB_MAX_PARAMETERS]; /* the parameters' names */
    int count;                                 /* the number of parameters */
    int required;                              /* the first `required` have no default */
    int positional;                            /* the first `positional` may be given by position */
} cpoplib_signature;

/* Binds the arguments of any METH_FASTCALL | METH_KEYWORDS call. */
bool cpoplib_bind_any(const cpoplib_signature *signature, PyObject *const *args, Py_ssize_t nargs,
                      PyObject *kwnames, PyObject **values);

/* The same, with a short path for the usual call: all positional parameters, and no others. values
 * receives a borrowed reference for each parameter, NULL for one not given. */
static inline bool cpoplib_bind(const cpoplib_signature *signature, PyObject *const *args,
                                Py_ssize_t nargs, PyObject *kwnames, PyObject **values)
{
    if (kwnames != NULL || nargs != signature->positional)
        return cpoplib_bind_any(signature, args, nargs, kwnames, values);
    for (int i = 0; i < signature->count; i++)
        values[i] = i < signature->positional ? args[i] : NULL;
    return true;
}

/* A message number from an int or a str of digits; false with an exception. */
bool cpoplib_message_number(PyObject *object, uint32_t *number);

/* The parameters in a row of a table of methods, such as TAKES(which): TEXT_ has them in Python's
 * form, BIND_ the rest of their cpoplib_signature. */
#define TEXT_TAKES_NOTHING        "(self)"
#define BIND_TAKES_NOTHING        {NULL}, 0, 0, 0
#define TEXT_TAKES(a)             "(self, " #a ")"
#define BIND_TAKES(a)             {#a}, 1, 1, 1
#define TEXT_MAY_TAKE(a)          "(self, " #a "=None)"
#define BIND_MAY_TAKE(a)          {#a}, 1, 0, 1
#define TEXT_TAKES_TWO(a, b)      "(self, " #a ", " #b ")"
#define BIND_TAKES_TWO(a, b)      {#a, #b}, 2, 2, 2
#define TEXT_TAKES_THREE(a, b, c) "(self, " #a ", " #b ", " #c ")"
#define BIND_TAKES_THREE(a, b, c) {#a, #b, #c}, 3, 3, 3

/* The results of a row: the function that Python calls, which returns `call`, an expression of
 * `self` and of `v`, the values of the parameters; */
#define METHOD_WRAPPER(type, name, parameters, call, doc)                                          \
    static PyObject *type##_##name(PyObject *self, PyObject *const *args, Py_ssize_t nargs,        \
                                   PyObject *kwnames)                                              \
    {                                                                                              \
        static const cpoplib_signature signature = {#type "." #name, BIND_##parameters};           \
        PyObject *v[CPOPLIB_MAX_PARAMETERS];                                                       \
        return cpoplib_bind(&signature, args, nargs, kwnames, v) ? (call) : NULL;                  \
    }
/* and the row of the type's table. */
#define METHOD_ROW(type, name, parameters, call, doc)                                              \
    {#type, #name, TEXT_##parameters, PyDoc_STR(doc), type##_##name},

#endif
