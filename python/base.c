/* Used by all other files: the module's state, the names it looks up, exceptions, and debug output.
 */
#include "base.h"

/* Identifies our modules; the same in all interpreters. */
static PyModuleDef *_Atomic definition;

int cpoplib_state_begin(cpoplib_state *state, PyObject *module)
{
#define CPOPLIB_NAME(name, text) text,
    static const char *const texts[] = {CPOPLIB_NAMES(CPOPLIB_NAME)};
    atomic_store(&definition, PyModule_GetDef(module));
    state->globals = PyModule_GetDict(module);
    for (size_t i = 0; i < NAME_COUNT; i++) {
        state->names[i] = PyUnicode_InternFromString(texts[i]);
        if (state->names[i] == NULL)
            return -1;
    }
    return 0;
}

int cpoplib_state_traverse(PyObject *module, visitproc visit, void *arg)
{
    cpoplib_state *state = PyModule_GetState(module);
    if (state == NULL)
        return 0;
    Py_VISIT(state->error_proto);
    Py_VISIT(state->pop3_type);
    Py_VISIT(state->pop3_ssl_type);
    Py_VISIT(state->reader_type);
    Py_VISIT(state->block_type);
    Py_VISIT(state->function_type);
    Py_VISIT(state->socket_type);
    Py_VISIT(state->socket_sendall);
    Py_VISIT(state->socket_recv_into);
    Py_VISIT(state->timeout_error);
    Py_VISIT(state->file_type);
    Py_VISIT(state->file_readinto);
    Py_VISIT(state->tls_type);
    Py_VISIT(state->tls_object_type);
    Py_VISIT(state->tls_error);
    for (size_t i = 0; i < TLS_METHODS; i++)
        Py_VISIT(state->tls_own[i]);
    for (size_t i = 0; i < OWN_METHODS; i++)
        Py_VISIT(state->own[i]);
    Py_VISIT(state->window_type);
    Py_VISIT(state->caps_type);
    Py_VISIT(state->buffered_reader);
    return 0;
}

int cpoplib_state_clear(PyObject *module)
{
    cpoplib_state *state = PyModule_GetState(module);
    if (state == NULL)
        return 0;
    Py_CLEAR(state->error_proto);
    Py_CLEAR(state->pop3_type);
    Py_CLEAR(state->pop3_ssl_type);
    Py_CLEAR(state->reader_type);
    Py_CLEAR(state->block_type);
    Py_CLEAR(state->function_type);
    Py_CLEAR(state->socket_type);
    Py_CLEAR(state->socket_sendall);
    Py_CLEAR(state->socket_recv_into);
    Py_CLEAR(state->timeout_error);
    Py_CLEAR(state->file_type);
    Py_CLEAR(state->file_readinto);
    Py_CLEAR(state->tls_type);
    Py_CLEAR(state->tls_object_type);
    Py_CLEAR(state->tls_error);
    for (size_t i = 0; i < TLS_METHODS; i++)
        Py_CLEAR(state->tls_own[i]);
    for (size_t i = 0; i < OWN_METHODS; i++)
        Py_CLEAR(state->own[i]);
    Py_CLEAR(state->window_type);
    Py_CLEAR(state->caps_type);
    Py_CLEAR(state->buffered_reader);
    for (size_t i = 0; i < NAME_COUNT; i++)
        Py_CLEAR(state->names[i]);
    return 0;
}

void cpoplib_state_free(void *module)
{
    cpoplib_state_clear(module);
}

cpoplib_state *cpoplib_state_of(PyObject *self)
{
    PyObject *module = NULL;
#if PY_VERSION_HEX >= 0x030B0000
    module = PyType_GetModuleByDef(Py_TYPE(self), atomic_load(&definition));
#else
    PyObject *mro = Py_TYPE(self)->tp_mro;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro) && module == NULL; i++) {
        PyObject *type = PyTuple_GET_ITEM(mro, i);
        if (PyType_HasFeature((PyTypeObject *)type, Py_TPFLAGS_HEAPTYPE))
            module = ((PyHeapTypeObject *)type)->ht_module;
        if (module != NULL && PyModule_GetDef(module) != atomic_load(&definition))
            module = NULL;
    }
#endif
    if (module == NULL)
        Py_FatalError("cpoplib: an object whose type does not come from the module");
    return PyModule_GetState(module);
}

PyObject *cpoplib_get(const cpoplib_state *state, PyObject *object, cpoplib_name name)
{
    return PyObject_GetAttr(object, state->names[name]);
}

int cpoplib_set(const cpoplib_state *state, PyObject *object, cpoplib_name name, PyObject *value)
{
    if (value == NULL)
        return -1;
    int result = PyObject_SetAttr(object, state->names[name], value);
    Py_DECREF(value);
    return result;
}

void cpoplib_raise_text(const cpoplib_state *state, const char *text)
{
    PyErr_SetString(state->error_proto, text);
}

void cpoplib_raise_object(const cpoplib_state *state, PyObject *argument)
{
    PyObject *exception = PyObject_CallFunctionObjArgs(state->error_proto, argument, NULL);
    if (exception == NULL)
        return;
    PyErr_SetObject(state->error_proto, exception);
    Py_DECREF(exception);
}

PyObject *cpoplib_take_exception(void)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL)
        PyException_SetTraceback(value, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
}

/* exception.__context__, borrowed: the exception keeps it alive. */
static PyObject *context_of(PyObject *exception)
{
    PyObject *context = PyException_GetContext(exception);
    Py_XDECREF(context);
    return context;
}

/* The first in a chain of contexts, including `from`, whose context is a or b; NULL: none. The
 * chain may be circular: a second pointer at half the speed detects that. */
static PyObject *before(PyObject *from, PyObject *a, PyObject *b)
{
    PyObject *slow = from;
    bool odd = false;
    for (PyObject *fast = from; fast != NULL; odd = !odd) {
        PyObject *next = context_of(fast);
        if (next == a || next == b)
            return fast;
        fast = next;
        if (odd)
            slow = context_of(slow);
        if (fast == slow)
            break;
    }
    return NULL;
}

/* The exception that an enclosing `except` clause handles, borrowed, or NULL. */
static PyObject *handled_exception(void)
{
    PyObject *type, *value, *traceback;
    PyErr_GetExcInfo(&type, &value, &traceback);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    return value == Py_None ? NULL : value;
}

/* Makes an earlier exception, whose reference it steals, the context of a later one, as if the
 * later one had been raised while the earlier was handled: its own chain ends with the exception
 * handled around us, where that of the earlier one continues. */
static void add_context(PyObject *later, PyObject *earlier)
{
    PyObject *last = later == earlier || before(later, earlier, earlier) != NULL
                         ? NULL
                         : before(later, handled_exception(), NULL);
    if (last == NULL) { /* it is there already, or the chain is circular */
        Py_DECREF(earlier);
        return;
    }
    PyObject *knot = earlier == last ? NULL : before(earlier, last, last);
    if (knot != NULL) /* Python also cuts a chain that would return to its beginning */
        PyException_SetContext(knot, NULL);
    PyException_SetContext(last, earlier);
}

void cpoplib_restore_exception(PyObject *exception)
{
    if (PyErr_Occurred()) {
        PyObject *newer = cpoplib_take_exception();
        add_context(newer, exception);
        exception = newer;
    }
    PyObject *type = (PyObject *)Py_TYPE(exception);
    Py_INCREF(type);
    PyErr_Restore(type, exception, PyException_GetTraceback(exception));
}

bool cpoplib_plain_int(PyObject *object, Py_ssize_t *value)
{
    if (!PyLong_CheckExact(object))
        return false;
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (overflow != 0 || number > PY_SSIZE_T_MAX || number < PY_SSIZE_T_MIN)
        return false;
    *value = (Py_ssize_t)number;
    return true;
}

static PyObject *import_ssl(const cpoplib_state *state)
{
    PyObject *ssl = PyImport_ImportModule("ssl");
    if (ssl != NULL && PyDict_SetItem(state->globals, state->names[NAME_SSL], ssl) < 0)
        Py_CLEAR(ssl);
    return ssl;
}

PyObject *cpoplib_global(const cpoplib_state *state, cpoplib_name name)
{
    PyObject *value = cpoplib_dict_get(state->globals, state->names[name]);
    if (value == NULL && !PyErr_Occurred()) {
        if (name == NAME_SSL)
            return import_ssl(state);
        PyErr_Format(PyExc_NameError, "name '%U' is not defined", state->names[name]);
    }
    return value;
}

PyObject *cpoplib_dict_get(PyObject *dict, PyObject *key)
{
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *value;
    return PyDict_GetItemRef(dict, key, &value) > 0 ? value : NULL;
#else
    return cpoplib_new_reference(PyDict_GetItemWithError(dict, key));
#endif
}

PyObject *cpoplib_dict_value(PyObject *dict, const char *key)
{
    PyObject *text = PyUnicode_FromString(key);
    if (text == NULL)
        return NULL;
    PyObject *value = cpoplib_dict_get(dict, text);
    Py_DECREF(text);
    return value;
}

int cpoplib_debugging(const cpoplib_state *state, PyObject *self, long level)
{
    PyObject *value = cpoplib_get(state, self, NAME_DEBUGGING);
    if (value == NULL)
        return -1;
    Py_ssize_t number;
    int result;
    if (cpoplib_plain_int(value, &number)) {
        result = level == 0 ? number != 0 : number > level;
    } else if (level == 0) {
        result = PyObject_IsTrue(value);
    } else {
        PyObject *bound = PyLong_FromLong(level);
        result = bound == NULL ? -1 : PyObject_RichCompareBool(value, bound, Py_GT);
        Py_XDECREF(bound);
    }
    Py_DECREF(value);
    return result;
}

int cpoplib_print(const char *label, PyObject *object)
{
    PyObject *shown = PyObject_Repr(object);
    if (shown == NULL)
        return -1;
    PyObject *print = cpoplib_dict_value(PyEval_GetBuiltins(), "print");
    PyObject *result = print == NULL ? NULL : PyObject_CallFunction(print, "sO", label, shown);
    if (print == NULL && !PyErr_Occurred())
        PyErr_SetString(PyExc_NameError, "name 'print' is not defined");
    Py_XDECREF(print);
    Py_DECREF(shown);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

int cpoplib_debug(const cpoplib_state *state, PyObject *self, long level, const char *label,
                  PyObject *object)
{
    int wanted = cpoplib_debugging(state, self, level);
    return wanted <= 0 ? wanted : cpoplib_print(label, object);
}
