/* The octets of a message: collected in bytes, or written to the caller's file. */
#include "message.h"

#include <string.h>

/* Writes a piece of a message to the caller's file, which may accept it in parts. */
static int write_piece(const cpoplib_state *state, cpoplib_message *m, PyObject *piece)
{
    Py_INCREF(piece);
    while (piece != NULL) {
        Py_ssize_t size = PyBytes_GET_SIZE(piece), taken = size;
        PyObject *result = PyObject_CallMethodOneArg(m->file, state->names[NAME_WRITE], piece);
        bool counted = result != NULL && cpoplib_plain_int(result, &taken);
        Py_XDECREF(result);
        if (result == NULL)
            break;
        if (!counted || taken >= size) {
            m->written += (uint64_t)size;
            Py_DECREF(piece);
            return 0;
        }
        if (taken <= 0) {
            PyErr_SetString(PyExc_OSError, "the file did not take what was written");
            break;
        }
        m->written += (uint64_t)taken;
        Py_SETREF(piece, PyBytes_FromStringAndSize(PyBytes_AS_STRING(piece) + taken, size - taken));
    }
    Py_XDECREF(piece);
    return -1;
}

/* Makes room for n octets after the body's: exactly as many at first, then more and more. */
static int make_room(cpoplib_message *m, Py_ssize_t n)
{
    if (m->body == NULL) {
        m->body = PyBytes_FromStringAndSize(NULL, n);
        return m->body == NULL ? -1 : 0;
    }
    Py_ssize_t size = PyBytes_GET_SIZE(m->body);
    if (n <= size - m->used)
        return 0;
    if (n > PY_SSIZE_T_MAX / 2 - size) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t grown = size * 2; /* unused memory is not touched */
    return _PyBytes_Resize(&m->body, grown > m->used + n ? grown : m->used + n);
}

int cpoplib_message_add(const cpoplib_state *state, cpoplib_message *m, const pop3_str *spans,
                        size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += spans[i].len;
    if (total == 0 || !m->wanted)
        return 0;
    if (make_room(m, (Py_ssize_t)total) < 0) {
        m->used = 0;
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        memcpy(PyBytes_AS_STRING(m->body) + m->used, spans[i].data, spans[i].len);
        m->used += (Py_ssize_t)spans[i].len;
    }
    if (m->file == NULL)
        return 0;
    PyObject *piece = cpoplib_message_take(m);
    int result = piece == NULL ? -1 : write_piece(state, m, piece);
    Py_XDECREF(piece);
    return result;
}

PyObject *cpoplib_message_take(cpoplib_message *m)
{
    PyObject *body = m->body;
    Py_ssize_t used = m->used;
    m->body = NULL;
    m->used = 0;
    if (body == NULL)
        return PyBytes_FromStringAndSize(NULL, 0);
    if (PyBytes_GET_SIZE(body) != used)
        _PyBytes_Resize(&body, used); /* NULL with an exception when it fails */
    return body;
}

void cpoplib_message_clear(cpoplib_message *m)
{
    Py_CLEAR(m->body);
    m->used = 0;
}
