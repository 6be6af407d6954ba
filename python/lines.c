/* Sends command lines and reads lines: poplib's private methods. */
#include "lines.h"

#include "engine_io.h"
#include "reader.h"

#include "core/line.h"

#include <string.h>

void cpoplib_hang_up_without_memory(const cpoplib_state *state, PyObject *self)
{
    if (PyErr_ExceptionMatches(PyExc_MemoryError))
        cpoplib_hang_up(state, self);
}

PyObject *cpoplib_putline(PyObject *self, PyObject *line)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    if (cpoplib_settle(state, (cpoplib_client *)self) < 0 ||
        cpoplib_debug(state, self, 1, "*put*", line) < 0 ||
        PySys_Audit("poplib.putline", "OO", self, line) < 0)
        return NULL;
    PyObject *sock = cpoplib_get(state, self, NAME_SOCK);
    if (sock == NULL)
        return NULL;
    PyObject *sendall = cpoplib_get(state, sock, NAME_SENDALL);
    Py_DECREF(sock);
    if (sendall == NULL)
        return NULL;
    PyObject *sent = NULL, *octets = NULL;
    PyObject *crlf = cpoplib_global(state, NAME_CRLF);
    if (crlf != NULL)
        octets = PyNumber_Add(line, crlf);
    if (octets != NULL) {
        sent = PyObject_CallOneArg(sendall, octets);
        if (sent == NULL)
            cpoplib_hang_up_without_memory(state, self);
    }
    Py_XDECREF(octets);
    Py_XDECREF(crlf);
    Py_DECREF(sendall);
    if (sent == NULL)
        return NULL;
    Py_DECREF(sent);
    cpoplib_note_command((cpoplib_client *)self, line);
    Py_RETURN_NONE;
}

/* CR, LF and NUL end or cut a command line, and can inject another one; other control characters
 * are not allowed either (RFC 1939 §3). */
bool cpoplib_check_command(const char *octets, size_t len)
{
    const unsigned char *p = (const unsigned char *)octets;
    for (size_t i = 0; i < len; i++) {
        if (p[i] < 0x20 || p[i] == 0x7F) {
            PyErr_SetString(PyExc_ValueError, "Control characters not allowed in commands");
            return false;
        }
    }
    return true;
}

PyObject *cpoplib_encoded(const cpoplib_state *state, PyObject *self, PyObject *text)
{
    PyObject *encoding = cpoplib_get(state, self, NAME_ENCODING);
    if (encoding == NULL)
        return NULL;
    PyObject *octets =
        PyObject_CallFunctionObjArgs((PyObject *)&PyBytes_Type, text, encoding, NULL);
    Py_DECREF(encoding);
    return octets;
}

PyObject *cpoplib_putcmd(PyObject *self, PyObject *line)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    if (cpoplib_settle(state, (cpoplib_client *)self) < 0 ||
        cpoplib_debug(state, self, 0, "*cmd*", line) < 0)
        return NULL;
    PyObject *octets = cpoplib_encoded(state, self, line);
    if (octets == NULL)
        return NULL;
    PyObject *result = NULL;
    if (cpoplib_check_command(PyBytes_AS_STRING(octets), (size_t)PyBytes_GET_SIZE(octets)))
        result = PyObject_CallMethodOneArg(self, state->names[NAME_PUTLINE], octets);
    Py_DECREF(octets);
    if (result == NULL)
        return NULL;
    Py_DECREF(result);
    Py_RETURN_NONE;
}

/* self.file.readline(_MAXLINE + 1), for any file and any _MAXLINE. */
static PyObject *read_through_method(const cpoplib_state *state, PyObject *file, PyObject *longest)
{
    PyObject *readline = cpoplib_get(state, file, NAME_READLINE);
    if (readline == NULL)
        return NULL;
    PyObject *line = NULL;
    PyObject *one = PyLong_FromLong(1);
    PyObject *limit = one == NULL ? NULL : PyNumber_Add(longest, one);
    if (limit != NULL)
        line = PyObject_CallOneArg(readline, limit);
    Py_XDECREF(limit);
    Py_XDECREF(one);
    Py_DECREF(readline);
    return line;
}

/* Whether len(line) > _MAXLINE; -1 with an exception. */
static int too_long(PyObject *line, PyObject *longest)
{
    Py_ssize_t size = PyObject_Size(line), bound;
    if (size < 0)
        return -1;
    if (cpoplib_plain_int(longest, &bound))
        return size > bound;
    PyObject *length = PyLong_FromSsize_t(size);
    int result = length == NULL ? -1 : PyObject_RichCompareBool(length, longest, Py_GT);
    Py_XDECREF(length);
    return result;
}

/* A line with its end, from the file. */
static PyObject *read_line(const cpoplib_state *state, PyObject *self)
{
    PyObject *file = cpoplib_get(state, self, NAME_FILE);
    if (file == NULL)
        return NULL;
    PyObject *line = NULL;
    PyObject *longest = cpoplib_global(state, NAME_MAXLINE);
    if (longest == NULL)
        goto end;
    Py_ssize_t bound;
    if (cpoplib_reader_is_plain(state, file) && cpoplib_plain_int(longest, &bound) && bound >= -1 &&
        bound < PY_SSIZE_T_MAX)
        line = cpoplib_reader_readline((cpoplib_reader *)file, bound + 1);
    else
        line = read_through_method(state, file, longest);
    int over = line == NULL ? -1 : too_long(line, longest);
    if (over > 0)
        cpoplib_raise_text(state, "line too long");
    if (over != 0)
        Py_CLEAR(line);
end:
    Py_XDECREF(longest);
    Py_DECREF(file);
    return line;
}

/* The line without its end, removed like in poplib: also if input ended within a line, which loses
 * its last octet. */
static PyObject *strip_bytes(PyObject *line)
{
    const char *data = PyBytes_AS_STRING(line);
    Py_ssize_t size = PyBytes_GET_SIZE(line);
    pop3_str rest;
    if (data[size - 1] == '\n') {
        p3_line_end how;
        rest = p3_line_strip(data, (size_t)size, &how);
    } else {
        Py_ssize_t from = data[0] == '\r' && size > 1 ? 1 : 0;
        rest = (pop3_str){data + from, (size_t)(size - 1 - from)};
    }
    return PyBytes_FromStringAndSize(rest.data, (Py_ssize_t)rest.len);
}

/* Whether a module global is exactly these octets. Leaves no exception. */
static bool global_is(const cpoplib_state *state, cpoplib_name name, const char *octets)
{
    PyObject *value = cpoplib_global(state, name);
    bool is =
        value != NULL && PyBytes_CheckExact(value) && strcmp(PyBytes_AS_STRING(value), octets) == 0;
    Py_XDECREF(value);
    PyErr_Clear();
    return is;
}

bool cpoplib_usual_ends(const cpoplib_state *state)
{
    return global_is(state, NAME_CRLF, "\r\n") && global_is(state, NAME_CR, "\r");
}

/* Whether line[from:to] == the module global; -1 with an exception. */
static int slice_equals(const cpoplib_state *state, PyObject *line, Py_ssize_t from, Py_ssize_t to,
                        cpoplib_name name)
{
    PyObject *part = PySequence_GetSlice(line, from, to);
    PyObject *other = part == NULL ? NULL : cpoplib_global(state, name);
    int result = other == NULL ? -1 : PyObject_RichCompareBool(part, other, Py_EQ);
    Py_XDECREF(part);
    Py_XDECREF(other);
    return result;
}

/* The same for other results of a file that is not ours: bytearray, a subclass of bytes; and for
 * other line ends. */
static PyObject *strip_any(const cpoplib_state *state, PyObject *line, Py_ssize_t size)
{
    int crlf = slice_equals(state, line, size < 2 ? 0 : size - 2, size, NAME_CRLF);
    if (crlf < 0)
        return NULL;
    if (crlf)
        return PySequence_GetSlice(line, 0, size - 2);
    int leading_cr = slice_equals(state, line, 0, 1, NAME_CR);
    if (leading_cr < 0)
        return NULL;
    return PySequence_GetSlice(line, leading_cr ? 1 : 0, size - 1);
}

PyObject *cpoplib_getline(PyObject *self)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    if (cpoplib_settle(state, (cpoplib_client *)self) < 0)
        return NULL;
    PyObject *line = read_line(state, self);
    if (line == NULL)
        return NULL;
    PyObject *result = NULL;
    Py_ssize_t size = PyObject_Size(line);
    if (size < 0 || cpoplib_debug(state, self, 1, "*get*", line) < 0)
        goto end;
    if (size == 0) {
        cpoplib_raise_text(state, "-ERR EOF");
        goto end;
    }
    bool plain = PyBytes_CheckExact(line) && cpoplib_usual_ends(state);
    PyObject *stripped = plain ? strip_bytes(line) : strip_any(state, line, size);
    if (stripped != NULL)
        result = Py_BuildValue("Nn", stripped, size);
end:
    Py_DECREF(line);
    return result;
}

/* Raises this Python's error for a pair with more than two values. */
static void raise_too_many(PyObject *pair, Py_ssize_t size)
{
    bool counted = PyTuple_CheckExact(pair) || PyList_CheckExact(pair) || PyDict_CheckExact(pair);
    if (PY_VERSION_HEX >= 0x030E0000 && counted)
        PyErr_Format(PyExc_ValueError, "too many values to unpack (expected 2, got %zd)", size);
    else
        PyErr_SetString(PyExc_ValueError, "too many values to unpack (expected 2)");
}

/* "a, b = pair", with Python's errors. */
static int unpack(PyObject *pair, PyObject **first, PyObject **second)
{
    PyObject *tuple;
    if (PyTuple_CheckExact(pair)) {
        Py_INCREF(pair);
        tuple = pair;
    } else if (Py_TYPE(pair)->tp_iter == NULL && !PySequence_Check(pair)) {
        PyErr_Format(PyExc_TypeError, "cannot unpack non-iterable %.200s object",
                     Py_TYPE(pair)->tp_name);
        return -1;
    } else {
        tuple = PySequence_Tuple(pair);
    }
    if (tuple == NULL)
        return -1;
    Py_ssize_t size = PyTuple_GET_SIZE(tuple);
    if (size == 2) {
        *first = PyTuple_GET_ITEM(tuple, 0);
        *second = PyTuple_GET_ITEM(tuple, 1);
        Py_INCREF(*first);
        Py_INCREF(*second);
    } else if (size < 2) {
        PyErr_Format(PyExc_ValueError, "not enough values to unpack (expected 2, got %zd)", size);
    } else {
        raise_too_many(pair, size);
    }
    Py_DECREF(tuple);
    return size == 2 ? 0 : -1;
}

int cpoplib_next_line(const cpoplib_state *state, PyObject *self, PyObject **line,
                      PyObject **octets)
{
    PyObject *pair = PyObject_CallMethodNoArgs(self, state->names[NAME_GETLINE]);
    if (pair == NULL)
        return -1;
    int result = unpack(pair, line, octets);
    Py_DECREF(pair);
    return result;
}

int cpoplib_starts_with(const cpoplib_state *state, PyObject *object, const char *prefix)
{
    size_t n = strlen(prefix);
    if (PyBytes_CheckExact(object))
        return (size_t)PyBytes_GET_SIZE(object) >= n &&
               memcmp(PyBytes_AS_STRING(object), prefix, n) == 0;
    PyObject *octets = PyBytes_FromString(prefix);
    if (octets == NULL)
        return -1;
    PyObject *answer = PyObject_CallMethodOneArg(object, state->names[NAME_STARTSWITH], octets);
    Py_DECREF(octets);
    if (answer == NULL)
        return -1;
    int result = PyObject_IsTrue(answer);
    Py_DECREF(answer);
    return result;
}

/* Returns the status line as the reply, or raises the refusal; steals the reference. */
static PyObject *judge(const cpoplib_state *state, PyObject *self, PyObject *resp)
{
    int ok = cpoplib_debug(state, self, 1, "*resp*", resp);
    ok = ok == 0 ? cpoplib_starts_with(state, resp, "+") : -1;
    if (ok == 0)
        cpoplib_raise_object(state, resp);
    if (ok <= 0)
        Py_CLEAR(resp);
    return resp;
}

PyObject *cpoplib_getresp(PyObject *self)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    PyObject *resp, *octets;
    if (cpoplib_next_line(state, self, &resp, &octets) < 0)
        return NULL;
    Py_DECREF(octets);
    return judge(state, self, resp);
}

PyObject *cpoplib_own_response(const cpoplib_state *state, PyObject *self)
{
    PyObject *pair = cpoplib_getline(self);
    if (pair == NULL)
        return NULL;
    PyObject *resp = cpoplib_new_reference(PyTuple_GET_ITEM(pair, 0));
    Py_DECREF(pair);
    return judge(state, self, resp);
}
