/* Commands that do more than send a line and return the reply: STAT, QUIT, APOP, CAPA, STLS. */
#include "commands.h"

#include "connect.h"
#include "lines.h"

/* self.METHOD(format % argument) */
static PyObject *send(PyObject *self, cpoplib_name method, const char *format, PyObject *argument)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    PyObject *line = PyUnicode_FromString(format);
    if (line != NULL && argument != NULL)
        Py_SETREF(line, PyNumber_Remainder(line, argument));
    if (line == NULL)
        return NULL;
    PyObject *reply = PyObject_CallMethodOneArg(self, state->names[method], line);
    Py_DECREF(line);
    return reply;
}

PyObject *cpoplib_short(PyObject *self, const char *format, PyObject *argument)
{
    return send(self, NAME_SHORTCMD, format, argument);
}

PyObject *cpoplib_long(PyObject *self, const char *format, PyObject *argument)
{
    return send(self, NAME_LONGCMD, format, argument);
}

/* Since these releases poplib checks the words of STAT's reply before it converts them to numbers.
 */
static bool stat_is_checked(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    return PY_VERSION_HEX >= 0x030D0300;
#else
    return PY_VERSION_HEX >= 0x030C0A00;
#endif
}

/* int(words[index]) */
static PyObject *number_at(PyObject *words, Py_ssize_t index)
{
    PyObject *key = PyLong_FromSsize_t(index);
    PyObject *word = key == NULL ? NULL : PyObject_GetItem(words, key);
    Py_XDECREF(key);
    if (word == NULL)
        return NULL;
    PyObject *number = PyObject_CallOneArg((PyObject *)&PyLong_Type, word);
    Py_DECREF(word);
    return number;
}

/* The two numbers in the words of STAT's reply. */
static PyObject *stat_numbers(const cpoplib_state *state, PyObject *words)
{
    if (stat_is_checked()) {
        Py_ssize_t count = PyObject_Size(words);
        if (count >= 0 && count < 3)
            cpoplib_raise_text(state, "Invalid STAT response format");
        if (count < 3)
            return NULL;
    }
    PyObject *count = number_at(words, 1);
    PyObject *octets = count == NULL ? NULL : number_at(words, 2);
    if (octets != NULL)
        return Py_BuildValue("NN", count, octets);
    Py_XDECREF(count);
    if (stat_is_checked() && PyErr_ExceptionMatches(PyExc_ValueError)) {
        PyObject *cause = cpoplib_take_exception();
        cpoplib_raise_text(state, "Invalid STAT response data: non-numeric values");
        cpoplib_restore_exception(cause);
    }
    return NULL;
}

PyObject *cpoplib_stat(PyObject *self)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    PyObject *reply = cpoplib_short(self, "STAT", NULL);
    if (reply == NULL)
        return NULL;
    PyObject *words = PyObject_CallMethodNoArgs(reply, state->names[NAME_SPLIT]);
    Py_DECREF(reply);
    if (words == NULL)
        return NULL;
    PyObject *result = NULL;
    if (cpoplib_debug(state, self, 0, "*stat*", words) == 0)
        result = stat_numbers(state, words);
    Py_DECREF(words);
    return result;
}

PyObject *cpoplib_quit(PyObject *self)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    PyObject *reply = cpoplib_short(self, "QUIT", NULL);
    if (reply == NULL)
        return NULL;
    PyObject *closed = PyObject_CallMethodNoArgs(self, state->names[NAME_CLOSE]);
    if (closed == NULL)
        Py_CLEAR(reply);
    Py_XDECREF(closed);
    return reply;
}

/* The greeting's timestamp, by self.timestamp.match(self.welcome); NULL with an exception. */
static PyObject *find_timestamp(const cpoplib_state *state, PyObject *self)
{
    PyObject *welcome = NULL, *match = NULL, *found = NULL;
    PyObject *pattern = cpoplib_get(state, self, NAME_TIMESTAMP);
    if (pattern != NULL)
        welcome = cpoplib_get(state, self, NAME_WELCOME);
    if (welcome != NULL)
        match = PyObject_CallMethodOneArg(pattern, state->names[NAME_MATCH], welcome);
    int matched = match == NULL ? -1 : PyObject_IsTrue(match);
    PyObject *one = matched > 0 ? PyLong_FromLong(1) : NULL;
    if (one != NULL)
        found = PyObject_CallMethodOneArg(match, state->names[NAME_GROUP], one);
    else if (matched == 0)
        cpoplib_raise_text(state, "-ERR APOP not supported by server");
    Py_XDECREF(one);
    Py_XDECREF(match);
    Py_XDECREF(welcome);
    Py_XDECREF(pattern);
    return found;
}

/* hashlib.md5(octets).hexdigest() */
static PyObject *md5_digest(const cpoplib_state *state, PyObject *octets)
{
    /* as the statement does it; PyImport_ImportModule() does far more */
    PyObject *hashlib = PyImport_ImportModuleLevel("hashlib", NULL, NULL, NULL, 0);
    if (hashlib == NULL)
        return NULL;
    PyObject *hash = PyObject_CallMethodOneArg(hashlib, state->names[NAME_MD5], octets);
    PyObject *digest =
        hash == NULL ? NULL : PyObject_CallMethodNoArgs(hash, state->names[NAME_HEXDIGEST]);
    Py_XDECREF(hash);
    Py_DECREF(hashlib);
    return digest;
}

PyObject *cpoplib_apop(PyObject *self, PyObject *user, PyObject *password)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    PyObject *timestamp = NULL, *octets = NULL, *digest = NULL, *arguments = NULL, *reply = NULL;
    PyObject *secret = cpoplib_encoded(state, self, password);
    if (secret != NULL)
        timestamp = find_timestamp(state, self);
    if (timestamp != NULL)
        octets = PyNumber_Add(timestamp, secret);
    if (octets != NULL)
        digest = md5_digest(state, octets);
    if (digest != NULL)
        arguments = PyTuple_Pack(2, user, digest);
    if (arguments != NULL)
        reply = cpoplib_short(self, "APOP %s %s", arguments);
    Py_XDECREF(arguments);
    Py_XDECREF(digest);
    Py_XDECREF(octets);
    Py_XDECREF(timestamp);
    Py_XDECREF(secret);
    return reply;
}

/* Adds a line of CAPA's answer: the first word is the key, the others its list. */
static int add_capability(const cpoplib_state *state, PyObject *caps, PyObject *line)
{
    PyObject *ascii = PyUnicode_FromString("ascii");
    if (ascii == NULL)
        return -1;
    PyObject *text = PyObject_CallMethodOneArg(line, state->names[NAME_DECODE], ascii);
    Py_DECREF(ascii);
    if (text == NULL)
        return -1;
    int result = -1;
    PyObject *words = PyObject_CallMethodNoArgs(text, state->names[NAME_SPLIT]);
    Py_DECREF(text);
    if (words == NULL)
        return -1;
    PyObject *name = PySequence_GetItem(words, 0);
    PyObject *arguments = name == NULL ? NULL : PySequence_GetSlice(words, 1, PY_SSIZE_T_MAX);
    if (arguments != NULL)
        result = PyDict_SetItem(caps, name, arguments);
    Py_XDECREF(arguments);
    Py_XDECREF(name);
    Py_DECREF(words);
    return result;
}

/* The dict for CAPA's answer. */
static PyObject *parse_capabilities(const cpoplib_state *state, PyObject *reply)
{
    PyObject *caps = NULL, *lines = NULL, *iterator = NULL, *line;
    PyObject *one = PyLong_FromLong(1);
    if (one != NULL)
        lines = PyObject_GetItem(reply, one);
    if (lines != NULL)
        iterator = PyObject_GetIter(lines);
    if (iterator != NULL)
        caps = PyDict_New();
    while (caps != NULL && (line = PyIter_Next(iterator)) != NULL) {
        if (add_capability(state, caps, line) < 0)
            Py_CLEAR(caps);
        Py_DECREF(line);
    }
    if (PyErr_Occurred())
        Py_CLEAR(caps);
    Py_XDECREF(iterator);
    Py_XDECREF(lines);
    Py_XDECREF(one);
    return caps;
}

PyObject *cpoplib_capa(PyObject *self)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    PyObject *caps = NULL;
    PyObject *reply = cpoplib_long(self, "CAPA", NULL);
    if (reply != NULL)
        caps = parse_capabilities(state, reply);
    Py_XDECREF(reply);
    if (caps == NULL && PyErr_ExceptionMatches(state->error_proto)) {
        PyObject *cause = cpoplib_take_exception();
        cpoplib_raise_text(state, "-ERR CAPA not supported by server");
        cpoplib_restore_exception(cause);
    }
    return caps;
}

/* Whether the module global HAVE_SSL and self._tls_established permit STLS; and whether the server
 * does. 0, or -1 with an exception. */
static int check_stls(const cpoplib_state *state, PyObject *self)
{
    PyObject *have_ssl = cpoplib_dict_value(state->globals, "HAVE_SSL");
    int possible = have_ssl != NULL ? PyObject_IsTrue(have_ssl) : PyErr_Occurred() ? -1 : 0;
    Py_XDECREF(have_ssl);
    if (possible == 0)
        cpoplib_raise_text(state, "-ERR TLS support missing");
    if (possible <= 0)
        return -1;
    PyObject *flag = cpoplib_get(state, self, NAME_TLS_ESTABLISHED);
    int established = flag == NULL ? -1 : PyObject_IsTrue(flag);
    Py_XDECREF(flag);
    if (established > 0)
        cpoplib_raise_text(state, "-ERR TLS session already established");
    if (established != 0)
        return -1;
    PyObject *name = PyUnicode_FromString("STLS");
    PyObject *caps = name == NULL ? NULL : PyObject_CallMethod(self, "capa", NULL);
    int offered = caps == NULL ? -1 : PySequence_Contains(caps, name);
    Py_XDECREF(caps);
    Py_XDECREF(name);
    if (offered == 0)
        cpoplib_raise_text(state, "-ERR STLS not supported by server");
    return offered > 0 ? 0 : -1;
}

/* Starts TLS on the socket. 0, or -1 with an exception. */
static int begin_tls(const cpoplib_state *state, PyObject *self, PyObject *context)
{
    PyObject *plain = cpoplib_get(state, self, NAME_SOCK);
    if (plain == NULL)
        return -1;
    PyObject *sock = cpoplib_wrap_socket(state, self, context, plain);
    Py_DECREF(plain);
    if (cpoplib_adopt_socket(state, self, sock) < 0)
        return -1;
    return PyObject_SetAttr(self, state->names[NAME_TLS_ESTABLISHED], Py_True);
}

PyObject *cpoplib_stls(PyObject *self, PyObject *context)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    if (check_stls(state, self) < 0)
        return NULL;
    Py_XINCREF(context);
    if (context == NULL || context == Py_None)
        Py_XSETREF(context, cpoplib_ssl_context(state, NULL));
    if (context == NULL)
        return NULL;
    PyObject *reply = cpoplib_short(self, "STLS", NULL);
    if (reply != NULL && begin_tls(state, self, context) < 0) {
        /* Nothing may be sent unprotected from now on. Other failures have closed the socket. */
        cpoplib_hang_up_without_memory(state, self);
        Py_CLEAR(reply);
    }
    Py_DECREF(context);
    return reply;
}
