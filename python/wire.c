/* Transfers octets by the socket's descriptor, or by the C object for its TLS. */
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    LOOK = 50,        /* microseconds: how long to look for an answer before sleeping */
    SSL_ERROR_EOF = 8 /* of Python's ssl: the peer closed without saying goodbye */
};

/* Errors of our own beside those of the system. */
enum { TIMED_OUT = -1 };

/* The methods that stand between an SSLSocket and its C object. */
static const char *const tls_methods[] = {"read", "recv_into", "send", "sendall"};

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Whether type.NAME is `own`. Never leaves an exception but one that is no Exception. */
static int is_own(PyTypeObject *type, PyObject *name, PyObject *own)
{
    PyObject *value = PyObject_GetAttr((PyObject *)type, name);
    Py_XDECREF(value);
    if (value == NULL && !PyErr_ExceptionMatches(PyExc_Exception))
        return -1;
    PyErr_Clear();
    return value == own;
}

/* sock.fileno(); -1 where it has none, or with an exception that is no Exception. */
static int descriptor_of(const cpoplib_state *state, PyObject *sock)
{
    Py_ssize_t fd = -1;
    PyObject *number = PyObject_CallMethodNoArgs(sock, state->names[NAME_FILENO]);
    bool plain = number != NULL && cpoplib_plain_int(number, &fd) && fd >= 0 && fd <= INT_MAX;
    Py_XDECREF(number);
    if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_Exception))
        PyErr_Clear();
    return plain ? (int)fd : -1;
}

/* sock.fileno() and its timeout; 0 where they are not plain. */
static int find_descriptor(const cpoplib_state *state, cpoplib_wire *wire)
{
    wire->fd = descriptor_of(state, wire->sock);
    PyObject *timeout = wire->fd < 0 ? NULL : cpoplib_get(state, wire->sock, NAME_TIMEOUT);
    bool plain = timeout != NULL;
    if (plain && timeout == Py_None) {
        wire->timeout = -1;
    } else if (plain && PyFloat_CheckExact(timeout)) {
        double seconds = PyFloat_AS_DOUBLE(timeout);
        wire->timeout = seconds < 1e9 ? (int64_t)(seconds * 1e6) : -1;
        plain = seconds > 0; /* 0 is a socket that does not block */
    } else {
        plain = false;
    }
    Py_XDECREF(timeout);
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_Exception))
        return -1;
    PyErr_Clear();
    return plain;
}

/* Learns what ssl has, once somebody has imported it. Of functions that have been replaced before,
 * the globals are another module's. */
static void learn_ssl(cpoplib_state *state)
{
    PyObject *ssl = PyImport_ImportModule("ssl");
    PyObject *c_module = ssl == NULL ? NULL : PyImport_ImportModule("_ssl");
    PyObject *globals = ssl == NULL ? NULL : PyModule_GetDict(ssl);
    PyObject *type = c_module == NULL ? NULL : PyObject_GetAttrString(ssl, "SSLSocket");
    PyObject *object = type == NULL ? NULL : PyObject_GetAttrString(c_module, "_SSLSocket");
    PyObject *error = object == NULL ? NULL : PyObject_GetAttrString(ssl, "SSLError");
    PyObject *own[TLS_METHODS] = {NULL};
    bool genuine = error != NULL && PyType_Check(object) && PyType_Check(type);
    for (size_t i = 0; i < TLS_METHODS && genuine; i++) {
        own[i] = PyObject_GetAttrString(type, tls_methods[i]);
        genuine =
            own[i] != NULL && PyFunction_Check(own[i]) && PyFunction_GET_GLOBALS(own[i]) == globals;
    }
    PyErr_Clear();
    CPOPLIB_LOCK(state->globals);
    if (genuine && !state->tls_learned) {
        state->tls_type = (PyTypeObject *)cpoplib_new_reference(type);
        state->tls_object_type = (PyTypeObject *)cpoplib_new_reference(object);
        state->tls_error = cpoplib_new_reference(error);
        for (size_t i = 0; i < TLS_METHODS; i++)
            state->tls_own[i] = cpoplib_new_reference(own[i]);
    }
    state->tls_learned = true; /* from now on all threads read the others, and nobody writes them */
    CPOPLIB_UNLOCK();
    for (size_t i = 0; i < TLS_METHODS; i++)
        Py_XDECREF(own[i]);
    Py_XDECREF(error);
    Py_XDECREF(object);
    Py_XDECREF(type);
    Py_XDECREF(c_module);
    Py_XDECREF(ssl);
}

/* Whether an instance has attributes of its own in place of methods. -1 with an exception. */
static int has_own_methods(const cpoplib_state *state, PyObject *sock)
{
    PyObject *dict = PyObject_GenericGetDict(sock, NULL);
    int found = dict == NULL ? -1 : 0;
    for (int i = 0; i < TLS_METHODS && found == 0; i++)
        found = PyDict_Contains(dict, state->names[NAME_READ + i]);
    Py_XDECREF(dict);
    return found;
}

static int open_tls(const cpoplib_state *state, cpoplib_wire *wire)
{
    if (!state->tls_learned && strcmp(Py_TYPE(wire->sock)->tp_name, "SSLSocket") == 0)
        learn_ssl((cpoplib_state *)state); /* of the module's state, which no other part writes */
    if (!state->tls_learned || state->tls_type == NULL || !Py_IS_TYPE(wire->sock, state->tls_type))
        return 0;
    for (int i = 0; i < TLS_METHODS; i++) {
        int own = is_own(state->tls_type, state->names[NAME_READ + i], state->tls_own[i]);
        if (own <= 0)
            return own;
    }
    int replaced = has_own_methods(state, wire->sock);
    if (replaced != 0)
        return replaced < 0 ? -1 : 0;
    wire->tls = cpoplib_get(state, wire->sock, NAME_SSLOBJ);
    if (wire->tls != NULL && Py_IS_TYPE(wire->tls, state->tls_object_type))
        return 1;
    PyErr_Clear();
    Py_CLEAR(wire->tls);
    return 0;
}

static int open_plain(const cpoplib_state *state, cpoplib_wire *wire)
{
    int own = is_own(state->socket_type, state->names[NAME_SENDALL], state->socket_sendall);
    if (own > 0)
        own = is_own(state->socket_type, state->names[NAME_RECV_INTO], state->socket_recv_into);
    return own > 0 ? find_descriptor(state, wire) : own;
}

int cpoplib_wire_open(const cpoplib_state *state, PyObject *sock, cpoplib_wire *wire)
{
    *wire = (cpoplib_wire){.sock = cpoplib_new_reference(sock), .fd = -1};
    int own = 0;
    if (state->socket_type != NULL && Py_IS_TYPE(sock, state->socket_type))
        own = open_plain(state, wire);
    else if (state->socket_type != NULL)
        own = open_tls(state, wire);
    if (own <= 0)
        cpoplib_wire_done(wire);
    return own;
}

void cpoplib_wire_done(cpoplib_wire *wire)
{
    Py_CLEAR(wire->sock);
    Py_CLEAR(wire->tls);
}

/* Waits until the descriptor is ready, without the GIL. 0, TIMED_OUT or an errno. */
static int wait_until(int fd, short events, int64_t deadline)
{
    struct pollfd p = {.fd = fd, .events = events};
    int64_t left = deadline < 0 ? -1 : deadline - now_us();
    if (deadline >= 0 && left <= 0)
        return TIMED_OUT;
    int most = left < 0 ? -1 : left > 1000000000 ? 1000000 : (int)((left + 999) / 1000);
    int ready = poll(&p, 1, most);
    return ready >= 0 ? 0 : errno;
}

/* Sends until all has gone out, without the GIL. 0, TIMED_OUT or an errno. */
static int send_rest(const cpoplib_wire *wire, const char *data, size_t len, size_t *sent,
                     int64_t deadline)
{
    while (*sent < len) {
        ssize_t n = send(wire->fd, data + *sent, len - *sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        int error = n >= 0 ? 0 : errno;
        if (error == EAGAIN || error == EWOULDBLOCK)
            error = wait_until(wire->fd, POLLOUT, deadline);
        if (error != 0)
            return error;
        if (n > 0)
            *sent += (size_t)n;
    }
    return 0;
}

/* Reads once, without the GIL. 0, TIMED_OUT or an errno. */
static int receive(const cpoplib_wire *wire, char *room, size_t len, ssize_t *got, int64_t deadline,
                   bool *look)
{
    int64_t until = *look ? now_us() + LOOK : 0;
    for (;;) {
        *got = recv(wire->fd, room, len, MSG_DONTWAIT);
        if (*got >= 0)
            return 0;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return errno;
        if (*look && now_us() < until)
            continue;
        if (*look) { /* a signal that came meanwhile must not wait for an answer */
            *look = false;
            return EINTR;
        }
        int error = wait_until(wire->fd, POLLIN, deadline);
        if (error != 0)
            return error;
    }
}

static void raise_error(const cpoplib_state *state, int error)
{
    if (error == TIMED_OUT) {
        PyErr_SetString(state->timeout_error, "timed out");
    } else {
        errno = error;
        PyErr_SetFromErrno(PyExc_OSError);
    }
}

/* One use of the descriptor. Signals are heeded in between, as Python does (PEP 475). */
static Py_ssize_t by_descriptor(const cpoplib_state *state, const cpoplib_wire *wire,
                                const char *data, size_t len, bool *all_sent, char *room,
                                size_t size, bool *look)
{
    size_t sent = 0;
    ssize_t got = -1;
    int64_t deadline = wire->timeout < 0 ? -1 : now_us() + wire->timeout;
    bool reading = false;
    for (;;) {
        int error = 0;
        Py_BEGIN_ALLOW_THREADS if (!reading) error = send_rest(wire, data, len, &sent, deadline);
        if (error == 0 && !reading && size > 0) {
            reading = true;
            deadline = wire->timeout < 0 || len == 0 ? deadline : now_us() + wire->timeout;
        }
        if (error == 0 && size > 0)
            error = receive(wire, room, size, &got, deadline, look);
        Py_END_ALLOW_THREADS *all_sent = sent == len;
        if (error == 0)
            return size > 0 ? (Py_ssize_t)got : 0;
        if (error != EINTR) {
            raise_error(state, error);
            return -1;
        }
        if (PyErr_CheckSignals() < 0)
            return -1;
        if (descriptor_of(state, wire->sock) != wire->fd) { /* a handler has closed it */
            PyErr_Clear();
            raise_error(state, EBADF);
            return -1;
        }
    }
}

/* Whether the exception is what ssl takes for the end of input: it is not set any more then. */
static bool is_ragged_end(const cpoplib_state *state, const cpoplib_wire *wire)
{
    if (!PyErr_ExceptionMatches(PyExc_OSError))
        return false;
    PyObject *exception = cpoplib_take_exception();
    Py_ssize_t number = 0;
    PyObject *code = PyObject_GetAttrString(exception, "errno");
    bool end = code != NULL && cpoplib_plain_int(code, &number) && number == SSL_ERROR_EOF &&
               state->tls_error != NULL && PyObject_IsInstance(exception, state->tls_error) > 0;
    Py_XDECREF(code);
    PyObject *flag = end ? cpoplib_get(state, wire->sock, NAME_SUPPRESS_RAGGED_EOFS) : NULL;
    end = flag != NULL && PyObject_IsTrue(flag) > 0;
    Py_XDECREF(flag);
    PyErr_Clear();
    if (end)
        Py_DECREF(exception);
    else
        cpoplib_restore_exception(exception);
    return end;
}

/* object.NAME(...), whose result is an int; -1 with an exception. */
static Py_ssize_t call_for_number(PyObject *name, PyObject *const *args, size_t count)
{
    PyObject *result = PyObject_VectorcallMethod(name, args, count, NULL);
    Py_ssize_t n = result == NULL ? -1 : PyNumber_AsSsize_t(result, PyExc_OverflowError);
    Py_XDECREF(result);
    return n;
}

static int write_tls(const cpoplib_state *state, const cpoplib_wire *wire, PyObject *octets)
{
    Py_ssize_t size = PyBytes_GET_SIZE(octets), sent = 0;
    while (sent < size) {
        PyObject *rest =
            sent == 0 ? cpoplib_new_reference(octets) : PySequence_GetSlice(octets, sent, size);
        PyObject *const args[] = {wire->tls, rest};
        Py_ssize_t n = rest == NULL ? -1 : call_for_number(state->names[NAME_WRITE], args, 2);
        Py_XDECREF(rest);
        if (n < 0)
            return -1;
        sent += n;
    }
    return 0;
}

static Py_ssize_t read_tls(const cpoplib_state *state, const cpoplib_wire *wire,
                           cpoplib_block *block)
{
    PyObject *size = PyLong_FromSsize_t(Py_SIZE(block) - block->shown_from);
    if (size == NULL)
        return -1;
    PyObject *const args[] = {wire->tls, size, (PyObject *)block};
    Py_ssize_t n = call_for_number(state->names[NAME_READ], args, 3);
    Py_DECREF(size);
    return n < 0 && is_ragged_end(state, wire) ? 0 : n;
}

/* Looks for a moment, without the GIL, whether octets of an answer have come to the socket below
 * TLS, which are left there. 0, or -1 with an exception. */
static int look_below_tls(const cpoplib_state *state, const cpoplib_wire *wire, bool *look)
{
    char octet;
    ssize_t got = -1;
    int fd = descriptor_of(state, wire->sock);
    if (fd >= 0) {
        Py_BEGIN_ALLOW_THREADS int64_t until = now_us() + LOOK;
        do
            got = recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT);
        while (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && now_us() < until);
        Py_END_ALLOW_THREADS
    }
    *look = got >= 0;
    return PyErr_Occurred() ? -1 : PyErr_CheckSignals();
}

static Py_ssize_t exchange_tls(const cpoplib_state *state, const cpoplib_wire *wire, PyObject *line,
                               bool *sent, cpoplib_block *block, bool *look)
{
    if (line != NULL && write_tls(state, wire, line) < 0)
        return -1;
    *sent = true;
    if (*look && look_below_tls(state, wire, look) < 0)
        return -1;
    return read_tls(state, wire, block);
}

Py_ssize_t cpoplib_wire_exchange(const cpoplib_state *state, const cpoplib_wire *wire,
                                 PyObject *line, bool *sent, cpoplib_block *block, bool *look)
{
    bool unused;
    sent = sent == NULL ? &unused : sent;
    *sent = line == NULL;
    if (wire->tls != NULL)
        return exchange_tls(state, wire, line, sent, block, look);
    return by_descriptor(state, wire, line == NULL ? NULL : PyBytes_AS_STRING(line),
                         line == NULL ? 0 : (size_t)PyBytes_GET_SIZE(line), sent,
                         block->data + block->shown_from,
                         (size_t)(Py_SIZE(block) - block->shown_from), look);
}

int cpoplib_wire_send(const cpoplib_state *state, const cpoplib_wire *wire, PyObject *octets)
{
    if (wire->tls != NULL)
        return write_tls(state, wire, octets);
    bool sent, look = false;
    return by_descriptor(state, wire, PyBytes_AS_STRING(octets), (size_t)PyBytes_GET_SIZE(octets),
                         &sent, NULL, 0, &look) < 0
               ? -1
               : 0;
}

/* The class's attributes, if they are those of the C type below it. */
static int learn_socket(cpoplib_state *state, PyObject *module, PyObject *c_module)
{
    PyObject *c_type = PyObject_GetAttrString(c_module, "socket");
    PyObject *type = c_type == NULL ? NULL : cpoplib_get(state, module, NAME_SOCKET);
    if (type == NULL) {
        Py_XDECREF(c_type);
        return -1;
    }
    state->timeout_error = PyObject_GetAttrString(module, "timeout");
    state->socket_sendall = cpoplib_get(state, c_type, NAME_SENDALL);
    state->socket_recv_into = cpoplib_get(state, c_type, NAME_RECV_INTO);
    PyObject *io = PyObject_GetAttrString(module, "SocketIO");
    state->file_readinto = io == NULL ? NULL : cpoplib_get(state, io, NAME_READINTO);
    bool genuine = state->file_readinto != NULL && PyModule_Check(module) && PyType_Check(type) &&
                   PyType_Check(io) && PyFunction_Check(state->file_readinto) &&
                   PyFunction_GET_GLOBALS(state->file_readinto) == PyModule_GetDict(module);
    if (genuine) {
        state->socket_type = (PyTypeObject *)cpoplib_new_reference(type);
        state->file_type = (PyTypeObject *)cpoplib_new_reference(io);
    }
    Py_XDECREF(io);
    Py_DECREF(type);
    Py_DECREF(c_type);
    return PyErr_Occurred() ? -1 : 0;
}

int cpoplib_add_wire(cpoplib_state *state)
{
    state->look = sysconf(_SC_NPROCESSORS_ONLN) > 1;
    PyObject *module = PyImport_ImportModule("socket");
    PyObject *c_module = module == NULL ? NULL : PyImport_ImportModule("_socket");
    int result = c_module == NULL ? -1 : learn_socket(state, module, c_module);
    if (result < 0 && module != NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear(); /* a stand-in for the module: nothing is known of its sockets */
        result = 0;
    }
    Py_XDECREF(c_module);
    Py_XDECREF(module);
    return result;
}
