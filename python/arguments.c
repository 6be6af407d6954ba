/* Binds the arguments of a call to parameters, with the errors of a function written in Python. */
#include "arguments.h"

#include <string.h>

/* The name in messages: since Python 3.10 including the class. */
static const char *shown_name(const cpoplib_signature *s)
{
#if PY_VERSION_HEX >= 0x030A0000
    return s->name;
#else
    const char *dot = strrchr(s->name, '.');
    return dot == NULL ? s->name : dot + 1;
#endif
}

static bool bind_keyword(const cpoplib_signature *s, PyObject *name, PyObject *value,
                         PyObject **values)
{
    for (int i = 0; i < s->count; i++) {
        if (PyUnicode_CompareWithASCIIString(name, s->names[i]) != 0)
            continue;
        if (values[i] != NULL) {
            PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%U'",
                         shown_name(s), name);
            return false;
        }
        values[i] = value;
        return true;
    }
    PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", shown_name(s),
                 name);
    return false;
}

static void raise_too_many(const cpoplib_signature *s, Py_ssize_t given)
{
    const char *verb = given + 1 == 1 ? "was" : "were";
    if (s->required < s->positional) {
        PyErr_Format(PyExc_TypeError,
                     "%s() takes from %d to %d positional arguments but %zd %s given",
                     shown_name(s), s->required + 1, s->positional + 1, given + 1, verb);
        return;
    }
    PyErr_Format(PyExc_TypeError, "%s() takes %d positional argument%s but %zd %s given",
                 shown_name(s), s->positional + 1, s->positional == 0 ? "" : "s", given + 1, verb);
}

/* "'a'", "'a' and 'b'", "'a', 'b', and 'c'". */
static PyObject *join(const char *const *names, int count)
{
    PyObject *text = PyUnicode_FromFormat("'%s'", names[0]);
    for (int i = 1; i < count && text != NULL; i++) {
        const char *glue = i < count - 1 ? ", " : count == 2 ? " and " : ", and ";
        PyObject *longer = PyUnicode_FromFormat("%U%s'%s'", text, glue, names[i]);
        Py_DECREF(text);
        text = longer;
    }
    return text;
}

static bool check_required(const cpoplib_signature *s, PyObject *const *values)
{
    const char *missing[CPOPLIB_MAX_PARAMETERS];
    int count = 0;
    for (int i = 0; i < s->required; i++) {
        if (values[i] == NULL)
            missing[count++] = s->names[i];
    }
    if (count == 0)
        return true;
    PyObject *list = join(missing, count);
    if (list != NULL)
        PyErr_Format(PyExc_TypeError, "%s() missing %d required positional argument%s: %U",
                     shown_name(s), count, count == 1 ? "" : "s", list);
    Py_XDECREF(list);
    return false;
}

/* The common end of both ways of calling, when the keywords are bound. */
static bool finish(const cpoplib_signature *s, Py_ssize_t nargs, PyObject *const *values)
{
    if (nargs > s->positional) {
        raise_too_many(s, nargs);
        return false;
    }
    return check_required(s, values);
}

static void bind_positional(const cpoplib_signature *s, PyObject *const *args, Py_ssize_t nargs,
                            PyObject **values)
{
    for (int i = 0; i < s->count; i++)
        values[i] = i < nargs && i < s->positional ? args[i] : NULL;
}

bool cpoplib_bind_any(const cpoplib_signature *s, PyObject *const *args, Py_ssize_t nargs,
                      PyObject *kwnames, PyObject **values)
{
    bind_positional(s, args, nargs, values);
    Py_ssize_t keywords = kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames);
    for (Py_ssize_t i = 0; i < keywords; i++) {
        if (!bind_keyword(s, PyTuple_GET_ITEM(kwnames, i), args[nargs + i], values))
            return false;
    }
    return finish(s, nargs, values);
}

bool cpoplib_message_number(PyObject *object, uint32_t *number)
{
    PyObject *index =
        PyUnicode_Check(object) ? PyLong_FromUnicodeObject(object, 10) : PyNumber_Index(object);
    if (index == NULL)
        return false;
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (overflow != 0 || value < 1 || value > UINT32_MAX) {
        PyErr_Format(PyExc_ValueError, "a message number is from 1 to %lu",
                     (unsigned long)UINT32_MAX);
        return false;
    }
    *number = (uint32_t)value;
    return true;
}
