/* The life of a connection: from __init__ to close(), through Python's own socket and ssl objects.
 */
#include "connect.h"

#include "engine_io.h"
#include "reader.h"

#include <errno.h>

PyObject *cpoplib_default_timeout(const cpoplib_state *state)
{
    PyObject *module = cpoplib_global(state, NAME_SOCKET);
    if (module == NULL)
        return NULL;
    PyObject *timeout = cpoplib_get(state, module, NAME_DEFAULT_TIMEOUT);
    Py_DECREF(module);
    return timeout;
}

/* Whether sock.makefile is that of socket.socket. Only then is the file that it creates known to be
 * new, with an empty buffer. -1 with an exception. */
static int makes_plain_files(const cpoplib_state *state, PyObject *makefile)
{
    if (!PyMethod_Check(makefile))
        return 0;
    PyObject *module = cpoplib_global(state, NAME_SOCKET);
    PyObject *type = module == NULL ? NULL : cpoplib_get(state, module, NAME_SOCKET);
    PyObject *standard = type == NULL ? NULL : PyObject_GetAttr(type, state->names[NAME_MAKEFILE]);
    int result = standard == NULL ? -1 : PyMethod_GET_FUNCTION(makefile) == standard;
    if (result < 0 && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear(); /* a replacement for the module: nothing is known about its sockets */
        result = 0;
    }
    Py_XDECREF(standard);
    Py_XDECREF(type);
    Py_XDECREF(module);
    return result;
}

/* makefile('rb', 0) of a socket.socket, with our reader on top. NULL with an exception, or without
 * one if it created something else. */
static PyObject *make_reader(const cpoplib_state *state, PyObject *makefile)
{
    PyObject *zero = PyLong_FromLong(0);
    PyObject *raw =
        zero == NULL
            ? NULL
            : PyObject_CallFunctionObjArgs(makefile, state->names[NAME_MODE_RB], zero, NULL);
    Py_XDECREF(zero);
    if (raw == NULL)
        return NULL;
    PyObject *reader = NULL;
    if (Py_IS_TYPE(raw, state->file_type))
        reader = cpoplib_reader_new(state, raw);
    Py_DECREF(raw);
    return reader;
}

/* sock.makefile('rb'), replaced by our reader if that makes no difference. */
static PyObject *make_file(const cpoplib_state *state, PyObject *sock)
{
    PyObject *makefile = cpoplib_get(state, sock, NAME_MAKEFILE);
    if (makefile == NULL)
        return NULL;
    PyObject *file = NULL;
    int plain = makes_plain_files(state, makefile);
    if (plain > 0)
        file = make_reader(state, makefile);
    if (plain >= 0 && file == NULL && !PyErr_Occurred())
        file = PyObject_CallOneArg(makefile, state->names[NAME_MODE_RB]);
    Py_DECREF(makefile);
    return file;
}

int cpoplib_adopt_socket(const cpoplib_state *state, PyObject *self, PyObject *sock)
{
    cpoplib_forget_engine((cpoplib_client *)self);
    if (cpoplib_set(state, self, NAME_SOCK, sock) < 0)
        return -1;
    sock = cpoplib_get(state, self, NAME_SOCK);
    PyObject *file = sock == NULL ? NULL : make_file(state, sock);
    Py_XDECREF(sock);
    return cpoplib_set(state, self, NAME_FILE, file);
}

/* What __init__ sets before it connects. 0, or -1 with an exception. */
static int begin(const cpoplib_state *state, PyObject *self, PyObject *host, PyObject *port)
{
    if (PyObject_SetAttr(self, state->names[NAME_HOST], host) < 0 ||
        PyObject_SetAttr(self, state->names[NAME_PORT], port) < 0 ||
        PyObject_SetAttr(self, state->names[NAME_TLS_ESTABLISHED], Py_False) < 0)
        return -1;
    return PySys_Audit("poplib.connect", "OOO", self, host, port);
}

int cpoplib_init(PyObject *self, PyObject *host, PyObject *port, PyObject *timeout)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    PyObject *sock = NULL;
    port = port != NULL ? cpoplib_new_reference(port) : PyLong_FromLong(POP3_PORT);
    timeout = timeout != NULL ? cpoplib_new_reference(timeout) : cpoplib_default_timeout(state);
    if (port != NULL && timeout != NULL && begin(state, self, host, port) == 0)
        sock = PyObject_CallMethodOneArg(self, state->names[NAME_CREATE_SOCKET], timeout);
    Py_XDECREF(timeout);
    Py_XDECREF(port);
    if (cpoplib_adopt_socket(state, self, sock) < 0 ||
        cpoplib_set(state, self, NAME_DEBUGGING, PyLong_FromLong(0)) < 0)
        return -1;
    PyObject *welcome = PyObject_CallMethodNoArgs(self, state->names[NAME_GETRESP]);
    return cpoplib_set(state, self, NAME_WELCOME, welcome);
}

/* socket.create_connection((self.host, self.port), timeout) */
static PyObject *connect_socket(const cpoplib_state *state, PyObject *self, PyObject *timeout)
{
    PyObject *module = cpoplib_global(state, NAME_SOCKET);
    if (module == NULL)
        return NULL;
    PyObject *create = cpoplib_get(state, module, NAME_CREATE_CONNECTION);
    Py_DECREF(module);
    if (create == NULL)
        return NULL;
    PyObject *sock = NULL, *port = NULL, *address = NULL;
    PyObject *host = cpoplib_get(state, self, NAME_HOST);
    if (host != NULL)
        port = cpoplib_get(state, self, NAME_PORT);
    if (port != NULL)
        address = PyTuple_Pack(2, host, port);
    if (address != NULL)
        sock = PyObject_CallFunctionObjArgs(create, address, timeout, NULL);
    Py_XDECREF(address);
    Py_XDECREF(port);
    Py_XDECREF(host);
    Py_DECREF(create);
    return sock;
}

PyObject *cpoplib_create_socket(PyObject *self, PyObject *timeout)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    int blocking = timeout == Py_None ? 1 : PyObject_IsTrue(timeout);
    if (blocking < 0)
        return NULL;
    if (!blocking) {
        PyErr_SetString(PyExc_ValueError, "Non-blocking socket (timeout=0) is not supported");
        return NULL;
    }
    return connect_socket(state, self, timeout);
}

/* sock.shutdown(socket.SHUT_RDWR), without the error that there is no connection any more. */
static int shut_down(const cpoplib_state *state, PyObject *sock)
{
    PyObject *done = NULL, *how = NULL, *module = NULL;
    PyObject *shutdown = cpoplib_get(state, sock, NAME_SHUTDOWN);
    if (shutdown != NULL)
        module = cpoplib_global(state, NAME_SOCKET);
    if (module != NULL)
        how = cpoplib_get(state, module, NAME_SHUT_RDWR);
    if (how != NULL)
        done = PyObject_CallOneArg(shutdown, how);
    Py_XDECREF(how);
    Py_XDECREF(module);
    Py_XDECREF(shutdown);
    Py_XDECREF(done);
    if (done != NULL)
        return 0;
    if (!PyErr_ExceptionMatches(PyExc_OSError))
        return -1;
    PyObject *exception = cpoplib_take_exception();
    PyObject *number = PyObject_GetAttrString(exception, "errno");
    long value = number == NULL || !PyLong_Check(number) ? -1 : PyLong_AsLong(number);
    PyErr_Clear();
    Py_XDECREF(number);
    if (value == ENOTCONN) {
        Py_DECREF(exception);
        return 0;
    }
    cpoplib_restore_exception(exception);
    return -1;
}

/* Returns self.NAME, and sets it to None. */
static PyObject *take_attribute(const cpoplib_state *state, PyObject *self, cpoplib_name name)
{
    PyObject *value = cpoplib_get(state, self, name);
    if (value != NULL && PyObject_SetAttr(self, state->names[name], Py_None) < 0)
        Py_CLEAR(value);
    return value;
}

/* object.close(), also while an exception is set, as in a `finally` clause. */
static int call_close(const cpoplib_state *state, PyObject *object)
{
    PyObject *earlier = PyErr_Occurred() ? cpoplib_take_exception() : NULL;
    PyObject *done = PyObject_CallMethodNoArgs(object, state->names[NAME_CLOSE]);
    Py_XDECREF(done);
    if (earlier != NULL) {
        cpoplib_restore_exception(earlier);
        return -1;
    }
    return done == NULL ? -1 : 0;
}

static int close_socket(const cpoplib_state *state, PyObject *self)
{
    PyObject *sock = take_attribute(state, self, NAME_SOCK);
    if (sock == NULL)
        return -1;
    int result = 0;
    if (sock != Py_None) {
        result = shut_down(state, sock);
        if (call_close(state, sock) < 0)
            result = -1;
    }
    Py_DECREF(sock);
    return result;
}

PyObject *cpoplib_close(PyObject *self)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    cpoplib_forget_engine((cpoplib_client *)self);
    cpoplib_keep((cpoplib_client *)self, NULL);
    PyObject *file = take_attribute(state, self, NAME_FILE);
    if (file != NULL && file != Py_None)
        (void)call_close(state, file); /* its exception stays set */
    Py_XDECREF(file);
    PyObject *earlier = PyErr_Occurred() ? cpoplib_take_exception() : NULL;
    int result = close_socket(state, self);
    if (earlier != NULL) {
        cpoplib_restore_exception(earlier);
        return NULL;
    }
    if (result < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyObject *cpoplib_ssl_context(const cpoplib_state *state, PyObject *keywords)
{
    PyObject *module = cpoplib_global(state, NAME_SSL);
    if (module == NULL)
        return NULL;
    PyObject *context = NULL;
    PyObject *create = PyObject_GetAttrString(module, "_create_stdlib_context");
    PyObject *nothing = PyTuple_New(0);
    if (create != NULL && nothing != NULL)
        context = PyObject_Call(create, nothing, keywords);
    Py_XDECREF(nothing);
    Py_XDECREF(create);
    Py_DECREF(module);
    return context;
}

PyObject *cpoplib_wrap_socket(const cpoplib_state *state, PyObject *self, PyObject *context,
                              PyObject *sock)
{
    PyObject *wrapped = NULL, *arguments = NULL, *keywords = NULL;
    PyObject *wrap = PyObject_GetAttrString(context, "wrap_socket");
    PyObject *host = wrap == NULL ? NULL : cpoplib_get(state, self, NAME_HOST);
    if (host != NULL)
        arguments = PyTuple_Pack(1, sock);
    if (arguments != NULL)
        keywords = Py_BuildValue("{sO}", "server_hostname", host);
    if (keywords != NULL)
        wrapped = PyObject_Call(wrap, arguments, keywords);
    Py_XDECREF(keywords);
    Py_XDECREF(arguments);
    Py_XDECREF(host);
    Py_XDECREF(wrap);
    return wrapped;
}
