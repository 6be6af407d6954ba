/* A command and its reply: by the methods that poplib uses, which may be overridden; or, if none
 * is, without them, which only differs in speed. */
#include "exchange.h"

#include "engine_io.h"
#include "lines.h"
#include "long_reply.h"
#include "reader.h"

#include <string.h>

/* Whether the class, and the instance, have POP3's own methods. -1 with an exception. */
static int has_own_methods(const cpoplib_state *state, PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject *dict = cpoplib_field(self, &((cpoplib_client *)self)->dict);
    if (type->tp_getattro != PyObject_GenericGetAttr || dict == NULL) {
        Py_XDECREF(dict);
        return 0;
    }
    int own = 1;
    for (int i = 0; i < OWN_METHODS && own > 0; i++) {
        int replaced = PyDict_Contains(dict, state->names[i]);
        PyObject *method =
            replaced == 0 ? PyObject_GetAttr((PyObject *)type, state->names[i]) : NULL;
        Py_XDECREF(method);
        if (method == NULL)
            own = replaced > 0 ? 0 : -1;
        else if (method != state->own[i])
            own = 0;
    }
    Py_DECREF(dict);
    return own;
}

/* Whether commands are encoded, ended and printed in the usual way. -1 with an exception. */
static int has_usual_settings(const cpoplib_state *state, PyObject *self)
{
    Py_ssize_t level = 1;
    PyObject *encoding = NULL, *debugging = cpoplib_get(state, self, NAME_DEBUGGING);
    bool silent = debugging != NULL &&
                  (debugging == Py_False || (cpoplib_plain_int(debugging, &level) && level == 0));
    int result = debugging == NULL ? -1 : silent && cpoplib_usual_ends(state);
    Py_XDECREF(debugging);
    if (result > 0) {
        encoding = cpoplib_get(state, self, NAME_ENCODING);
        result = encoding == NULL ? -1
                                  : PyUnicode_CheckExact(encoding) &&
                                        PyUnicode_CompareWithASCIIString(encoding, "UTF-8") == 0;
    }
    Py_XDECREF(encoding);
    return result;
}

/* Sends octets ending in LF by the connection's socket, and reads the beginning of the reply if
 * that can be done together. *sent is whether they were sent. 0, or -1 with an exception. */
static int send_and_read(const cpoplib_state *state, PyObject *self, PyObject *octets, bool *sent)
{
    int result = 0;
    PyObject *sock = cpoplib_get(state, self, NAME_SOCK);
    PyObject *file = sock == NULL ? NULL : cpoplib_get(state, self, NAME_FILE);
    *sent = false;
    if (sock != NULL && file == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear(); /* the read of the reply fails, not the sending of the command */
        file = cpoplib_new_reference(Py_None);
    }
    if (file != NULL && cpoplib_reader_is_plain(state, file)) {
        cpoplib_reader *r = (cpoplib_reader *)file;
        if (!r->closed) {
            result = cpoplib_reader_begin(r, "readline") ? 0 : -1;
            if (result == 0) {
                result = cpoplib_reader_exchange(r, sock, octets, sent);
                cpoplib_reader_end(r);
            }
        }
    }
    if (file != NULL && result == 0) {
        PyObject *done = PyObject_CallMethodOneArg(sock, state->names[NAME_SENDALL], octets);
        *sent = done != NULL;
        Py_XDECREF(done);
    }
    Py_XDECREF(file);
    Py_XDECREF(sock);
    return *sent && result >= 0 ? 0 : -1;
}

/* Sends a command line without poplib's methods. 0 when it was sent, -1 with an exception. */
static int send_line(const cpoplib_state *state, PyObject *self, const char *text, Py_ssize_t len)
{
    int result = -1;
    bool sent = false;
    PyObject *line = PyBytes_FromStringAndSize(text, len);
    PyObject *octets = line == NULL ? NULL : PyBytes_FromStringAndSize(NULL, len + 2);
    if (octets != NULL) {
        memcpy(PyBytes_AS_STRING(octets), text, (size_t)len);
        memcpy(PyBytes_AS_STRING(octets) + len, "\r\n", 2);
        if (PySys_Audit("poplib.putline", "OO", self, line) == 0)
            result = send_and_read(state, self, octets, &sent);
        if (sent)
            cpoplib_note_command((cpoplib_client *)self, line);
    }
    Py_XDECREF(octets);
    Py_XDECREF(line);
    return result;
}

/* Sends this line without methods, if possible: 1 when it was sent, 0 when it was not, -1 with an
 * exception. */
static int try_directly(const cpoplib_state *state, PyObject *self, PyObject *line)
{
    int plain = PyUnicode_CheckExact(line) ? has_own_methods(state, self) : 0;
    if (plain > 0)
        plain = has_usual_settings(state, self);
    if (plain <= 0)
        return plain;
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(line, &len);
    if (text == NULL && PyErr_ExceptionMatches(PyExc_UnicodeError)) {
        PyErr_Clear(); /* bytes() has its own message for it */
        return 0;
    }
    if (text == NULL || !cpoplib_check_command(text, (size_t)len))
        return -1;
    return send_line(state, self, text, len) < 0 ? -1 : 1;
}

static PyObject *run(const cpoplib_state *state, PyObject *self, PyObject *line, cpoplib_name get)
{
    int sent = try_directly(state, self, line);
    PyObject *reply = NULL;
    if (sent > 0)
        reply = cpoplib_own_response(state, self);
    if (reply != NULL && get == NAME_GETLONGRESP)
        reply = cpoplib_rest_of_reply(state, self, reply);
    if (sent != 0)
        return reply;
    PyObject *put = PyObject_CallMethodOneArg(self, state->names[NAME_PUTCMD], line);
    if (put == NULL)
        return NULL;
    Py_DECREF(put);
    return PyObject_CallMethodNoArgs(self, state->names[get]);
}

/* self._putcmd(line), then self.get(). */
static PyObject *exchange(PyObject *self, PyObject *line, cpoplib_name get)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    cpoplib_client *client = (cpoplib_client *)self;
    if (!cpoplib_engine_lock(client))
        return NULL;
    PyObject *reply = NULL;
    bool settled = cpoplib_settle(state, client) == 0;
    if (settled)
        reply = run(state, self, line, get);
    cpoplib_engine_unlock(client);
    if (settled && reply == NULL)
        cpoplib_hang_up_without_memory(state, self);
    return reply;
}

PyObject *cpoplib_shortcmd(PyObject *self, PyObject *line)
{
    return exchange(self, line, NAME_GETRESP);
}

PyObject *cpoplib_longcmd(PyObject *self, PyObject *line)
{
    return exchange(self, line, NAME_GETLONGRESP);
}
