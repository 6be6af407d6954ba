/* The type POP3_SSL: POP3 with TLS from the start. Its parameters are those that poplib has in the
 * running version of Python. */
#include "pop3_type.h"

#include "arguments.h"
#include "client.h"
#include "connect.h"

#if PY_VERSION_HEX < 0x030C0000
#define WITH_KEY_FILES 1 /* keyfile and certfile, deprecated, went away with Python 3.12 */
#define TEXT_INIT      "(host, port=995, keyfile=None, certfile=None, timeout=None, context=None)"
#define TEXT_TAKES_TLS "($self, keyfile=None, certfile=None, context=None)"
#define BIND_TAKES_TLS {"keyfile", "certfile", "context"}, 3, 0, 3
#else
#define WITH_KEY_FILES 0
#define TEXT_INIT      "(host, port=995, *, timeout=None, context=None)"
#define TEXT_TAKES_TLS TEXT_MAY_TAKE(context)
#define BIND_TAKES_TLS BIND_MAY_TAKE(context)
#endif

#if WITH_KEY_FILES
/* keyfile and certfile: neither goes with a context, both are deprecated. 0, or -1 with an
 * exception. */
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

/* POP3.__init__(self, host, port, timeout): by the class, since somebody may have replaced it
 * there. */
static int call_base(const cpoplib_state *state, PyObject *self, PyObject *host, PyObject *port,
                     PyObject *timeout)
{
    PyObject *done = PyObject_CallMethod((PyObject *)state->pop3_type, "__init__", "OOOO", self,
                                         host, port, timeout);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static int ssl_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
#if WITH_KEY_FILES
    static const cpoplib_signature signature = {
        "POP3_SSL.__init__",
        {"host", "port", "keyfile", "certfile", "timeout", "context"},
        6,
        1,
        6};
    if (!cpoplib_bind_tuple(&signature, args, kwargs, v))
        return -1;
    PyObject *given_timeout = v[4];
    PyObject *context = make_context(self, v[5], v[2], v[3]);
#else
    static const cpoplib_signature signature = {
        "POP3_SSL.__init__", {"host", "port", "timeout", "context"}, 4, 1, 2};
    if (!cpoplib_bind_tuple(&signature, args, kwargs, v))
        return -1;
    PyObject *given_timeout = v[2];
    PyObject *context = make_context(self, v[3]);
#endif
    if (cpoplib_set(state, self, NAME_CONTEXT, context) < 0)
        return -1;
    int result = -1;
    PyObject *standard = PyLong_FromLong(POP3_TLS_PORT);
    PyObject *timeout = cpoplib_new_reference(given_timeout);
    if (timeout == NULL)
        timeout = cpoplib_default_timeout(state);
    if (standard != NULL && timeout != NULL)
        result = call_base(state, self, v[0], v[1] != NULL ? v[1] : standard, timeout);
    Py_XDECREF(timeout);
    Py_XDECREF(standard);
    return result;
}

/* POP3._create_socket(self, timeout), with TLS on what that returned. */
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
    X(POP3_SSL, _create_socket, TAKES(timeout), create_socket(self, v[0]),                         \
      "Connects and does the TLS handshake.")                                                      \
    X(POP3_SSL, stls, TAKES_TLS, stls(self), "Raises error_proto: there is TLS already.")

METHODS(METHOD_WRAPPER)

static PyMethodDef methods[] = {
    METHODS(METHOD_ROW){NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(ssl_doc,
             "POP3_SSL" TEXT_INIT "\n--\n\n"
             "A connection with TLS from the start, with the interface of poplib.POP3_SSL.\n\n"
             "Without a context nothing is verified, as with poplib: give\n"
             "ssl.create_default_context() to have the certificate and the host name checked.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)ssl_doc},
    {Py_tp_init, (void *)ssl_init},
    {Py_tp_methods, methods},
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
    return type == NULL ? -1 : PyDict_SetItemString(state->globals, "POP3_SSL", type);
}
