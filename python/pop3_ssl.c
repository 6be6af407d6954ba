/* The type POP3_SSL: POP3 with TLS from the start. Its parameters are those that poplib has in the
 * running version of Python. */
#include "pop3_type.h"

#include "arguments.h"
#include "client.h"
#include "connect.h"
#include "function.h"

#if PY_VERSION_HEX < 0x030C0000
#define WITH_KEY_FILES 1 /* keyfile and certfile, deprecated, were removed in Python 3.12 */
#define TEXT_TAKES_SERVER                                                                          \
    "(self, host, port=995, keyfile=None, certfile=None, timeout=socket._GLOBAL_DEFAULT_TIMEOUT, " \
    "context=None)"
#define BIND_TAKES_SERVER {"host", "port", "keyfile", "certfile", "timeout", "context"}, 6, 1, 6
#define INIT              init(self, v[0], v[1], v[4], make_context(self, v[5], v[2], v[3]))
#define TEXT_TAKES_TLS    "(self, keyfile=None, certfile=None, context=None)"
#define BIND_TAKES_TLS    {"keyfile", "certfile", "context"}, 3, 0, 3
#else
#define WITH_KEY_FILES 0
#define TEXT_TAKES_SERVER                                                                          \
    "(self, host, port=995, *, timeout=socket._GLOBAL_DEFAULT_TIMEOUT, context=None)"
#define BIND_TAKES_SERVER {"host", "port", "timeout", "context"}, 4, 1, 2
#define INIT              init(self, v[0], v[1], v[2], make_context(self, v[3]))
#define TEXT_TAKES_TLS    TEXT_MAY_TAKE(context)
#define BIND_TAKES_TLS    BIND_MAY_TAKE(context)
#endif

#if WITH_KEY_FILES
/* keyfile and certfile: neither can be combined with a context, both are deprecated. 0, or -1 with
 * an exception. */
static int check_key_files(PyObject *self, PyObject *keyfile, PyObject *certfile, bool context)
{
    if (context && (keyfile != Py_None || certfile != Py_None)) {
        PyErr_Format(PyExc_ValueError, "context and %s arguments are mutually exclusive",
                     keyfile != Py_None ? "keyfile" : "certfile");
        return -1;
    }
    if ((keyfile != Py_None || certfile != Py_None) &&
        PyErr_WarnEx(PyExc_DeprecationWarning,
                     "keyfile and certfile are deprecated, use a custom context instead", 1) < 0)
        return -1;
    if (PyObject_SetAttrString(self, "keyfile", keyfile) < 0)
        return -1;
    return PyObject_SetAttrString(self, "certfile", certfile);
}

static PyObject *make_context(PyObject *self, PyObject *context, PyObject *keyfile,
                              PyObject *certfile)
{
    bool given = context != NULL && context != Py_None;
    keyfile = keyfile == NULL ? Py_None : keyfile;
    certfile = certfile == NULL ? Py_None : certfile;
    if (check_key_files(self, keyfile, certfile, given) < 0)
        return NULL;
    if (given)
        return cpoplib_new_reference(context);
    PyObject *keywords = Py_BuildValue("{sOsO}", "certfile", certfile, "keyfile", keyfile);
    if (keywords == NULL)
        return NULL;
    context = cpoplib_ssl_context(cpoplib_state_of(self), keywords);
    Py_DECREF(keywords);
    return context;
}
#else
static PyObject *make_context(PyObject *self, PyObject *context)
{
    if (context != NULL && context != Py_None)
        return cpoplib_new_reference(context);
    return cpoplib_ssl_context(cpoplib_state_of(self), NULL);
}
#endif

static PyObject *init(PyObject *self, PyObject *host, PyObject *port, PyObject *timeout,
                      PyObject *context)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    if (cpoplib_set(state, self, NAME_CONTEXT, context) < 0)
        return NULL;
    PyObject *done = NULL;
    port = port != NULL ? cpoplib_new_reference(port) : PyLong_FromLong(POP3_TLS_PORT);
    timeout = timeout != NULL ? cpoplib_new_reference(timeout) : cpoplib_default_timeout(state);
    if (port != NULL && timeout != NULL) /* through the class, in which it may have been replaced */
        done = PyObject_CallMethod((PyObject *)state->pop3_type, "__init__", "OOOO", self, host,
                                   port, timeout);
    Py_XDECREF(timeout);
    Py_XDECREF(port);
    Py_XDECREF(done);
    if (done == NULL)
        return NULL;
    Py_RETURN_NONE;
}

/* POP3._create_socket(self, timeout), with TLS on the result. */
static PyObject *create_socket(PyObject *self, PyObject *timeout)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    PyObject *plain = PyObject_CallMethodObjArgs(
        (PyObject *)state->pop3_type, state->names[NAME_CREATE_SOCKET], self, timeout, NULL);
    if (plain == NULL)
        return NULL;
    PyObject *sock = NULL;
    PyObject *context = cpoplib_get(state, self, NAME_CONTEXT);
    if (context != NULL)
        sock = cpoplib_wrap_socket(state, self, context, plain);
    Py_XDECREF(context);
    Py_DECREF(plain);
    return sock;
}

static PyObject *stls(PyObject *self)
{
    cpoplib_raise_text(cpoplib_state_of(self), "-ERR TLS session already established");
    return NULL;
}

#define METHODS(X)                                                                                 \
    X(POP3_SSL, __init__, TAKES_SERVER, INIT, "Connects with TLS, and reads the greeting.")        \
    X(POP3_SSL, _create_socket, TAKES(timeout), create_socket(self, v[0]),                         \
      "Connects and does the TLS handshake.")                                                      \
    X(POP3_SSL, stls, TAKES_TLS, stls(self), "Raises error_proto: there is TLS already.")

METHODS(METHOD_WRAPPER)

static const cpoplib_method methods[] = {
    METHODS(METHOD_ROW){NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(ssl_doc,
             "A connection with TLS from the start, with the interface of poplib.POP3_SSL.\n\n"
             "Without a context nothing is verified, as with poplib: pass\n"
             "ssl.create_default_context() to have the certificate and the host name checked.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)ssl_doc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "cpoplib.POP3_SSL",
    .basicsize = sizeof(cpoplib_client),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = slots,
};

int cpoplib_add_pop3_ssl(PyObject *module, cpoplib_state *state)
{
    PyObject *bases = PyTuple_Pack(1, state->pop3_type);
    if (bases == NULL)
        return -1;
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, bases);
    Py_DECREF(bases);
    state->pop3_ssl_type = (PyTypeObject *)type;
    if (type == NULL || cpoplib_add_methods(state, state->pop3_ssl_type, methods) < 0)
        return -1;
    return PyDict_SetItemString(state->globals, "POP3_SSL", type);
}
