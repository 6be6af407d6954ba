/* The octets of a message on their way: gathered into bytes, or written to the caller's file. */
#include "engine_io.h"

#include <string.h>

/* Writes one piece of a message to the caller's file, which may take it in parts. */
static int write_piece(cpoplib_run *run, PyObject *piece)
{
    Py_INCREF(piece);
    while (piece != NULL) {
        Py_ssize_t size = PyBytes_GET_SIZE(piece), taken = size;
        PyObject *result =
            PyObject_CallMethodOneArg(run->file, run->state->names[NAME_WRITE], piece);
        bool counted = result != NULL && cpoplib_plain_int(result, &taken);
        Py_XDECREF(result);
        if (result == NULL)
            break;
        if (!counted || taken >= size) {
            run->written += (uint64_t)size;
            Py_DECREF(piece);
            return 0;
        }
        if (taken <= 0) {
            PyErr_SetString(PyExc_OSError, "the file did not take what was written");
            break;
        }
        run->written += (uint64_t)taken;
        Py_SETREF(piece, PyBytes_FromStringAndSize(PyBytes_AS_STRING(piece) + taken, size - taken));
    }
    Py_XDECREF(piece);
    return -1;
}

/* Makes room for n octets behind what the body holds: just as many at first, more and more later.
 */
static int make_room(cpoplib_run *run, Py_ssize_t n)
{
    if (run->body == NULL) {
        run->body = PyBytes_FromStringAndSize(NULL, n);
        return run->body == NULL ? -1 : 0;
    }
    Py_ssize_t size = PyBytes_GET_SIZE(run->body);
    if (n <= size - run->used)
        return 0;
    if (n > PY_SSIZE_T_MAX / 2 - size) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t grown = size * 2; /* what is not used yet takes no memory */
    return _PyBytes_Resize(&run->body, grown > run->used + n ? grown : run->used + n);
}

int cpoplib_keep(cpoplib_run *run, const pop3_str *spans, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += spans[i].len;
    if (total == 0 || !run->collect)
        return 0;
    if (make_room(run, (Py_ssize_t)total) < 0) {
        run->used = 0;
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        memcpy(PyBytes_AS_STRING(run->body) + run->used, spans[i].data, spans[i].len);
        run->used += (Py_ssize_t)spans[i].len;
    }
    if (run->file == NULL)
        return 0;
    PyObject *piece = cpoplib_take_body(run);
    int result = piece == NULL ? -1 : write_piece(run, piece);
    Py_XDECREF(piece);
    return result;
}

PyObject *cpoplib_take_body(cpoplib_run *run)
{
    PyObject *body = run->body;
    Py_ssize_t used = run->used;
    run->body = NULL;
    run->used = 0;
    if (body == NULL)
        return PyBytes_FromStringAndSize(NULL, 0);
    if (PyBytes_GET_SIZE(body) != used)
        _PyBytes_Resize(&body, used); /* NULL with an exception when it fails */
    return body;
}

void cpoplib_run_clear(cpoplib_run *run)
{
    Py_CLEAR(run->body);
    run->used = 0;
}
