/* The methods of POP3 as Python sees them: their arguments, their documentation. */
#include "arguments.h"
#include "client.h"
#include "commands.h"
#include "engine_io.h"
#include "window.h"

static PyObject *new_reference(PyObject *object)
{
    Py_INCREF(object);
    return object;
}

static PyObject *set_debuglevel(PyObject *self, PyObject *level)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    if (PyObject_SetAttr(self, state->names[NAME_DEBUGGING], level) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* LIST and UIDL: of one message a line, of all of them a listing. */
static PyObject *which_or_all(PyObject *self, const char *command, PyObject *which)
{
    if (which == NULL || which == Py_None)
        return cpoplib_long(self, command, NULL);
    PyObject *format = PyUnicode_FromFormat("%s %%s", command);
    if (format == NULL)
        return NULL;
    PyObject *reply = cpoplib_short(self, PyUnicode_AsUTF8(format), which);
    Py_DECREF(format);
    return reply;
}

static PyObject *top(PyObject *self, PyObject *which, PyObject *howmuch)
{
    PyObject *both = PyTuple_Pack(2, which, howmuch);
    if (both == NULL)
        return NULL;
    PyObject *reply = cpoplib_long(self, "TOP %s %s", both);
    Py_DECREF(both);
    return reply;
}

static PyObject *auth(PyObject *self, PyObject *const *v)
{
    int initial = v[2] == NULL ? 1 : PyObject_IsTrue(v[2]);
    if (initial < 0)
        return NULL;
    return cpoplib_auth(self, v[0], v[1] == NULL ? Py_None : v[1], initial);
}

static PyObject *method_create_socket(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                      PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3._create_socket", {"timeout"}, 1, 1, 1};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_create_socket(self, v[0]);
}

static PyObject *method_putline(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3._putline", {"line"}, 1, 1, 1};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_putline(self, v[0]);
}

static PyObject *method_putcmd(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                               PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3._putcmd", {"line"}, 1, 1, 1};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_putcmd(self, v[0]);
}

static PyObject *method_getline(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3._getline", {NULL}, 0, 0, 0};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_getline(self, NULL);
}

static PyObject *method_getresp(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3._getresp", {NULL}, 0, 0, 0};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_getresp(self, NULL);
}

static PyObject *method_getlongresp(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                    PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3._getlongresp", {NULL}, 0, 0, 0};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_getlongresp(self, NULL);
}

static PyObject *method_shortcmd(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                 PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3._shortcmd", {"line"}, 1, 1, 1};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_shortcmd(self, v[0]);
}

static PyObject *method_longcmd(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3._longcmd", {"line"}, 1, 1, 1};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_longcmd(self, v[0]);
}

static PyObject *method_getwelcome(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                   PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.getwelcome", {NULL}, 0, 0, 0};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_get(cpoplib_state_of(self), self, NAME_WELCOME);
}

static PyObject *method_set_debuglevel(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                       PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.set_debuglevel", {"level"}, 1, 1, 1};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return set_debuglevel(self, v[0]);
}

static PyObject *method_user(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.user", {"user"}, 1, 1, 1};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_short(self, "USER %s", v[0]);
}

static PyObject *method_pass(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.pass_", {"pswd"}, 1, 1, 1};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_short(self, "PASS %s", v[0]);
}

static PyObject *method_stat(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.stat", {NULL}, 0, 0, 0};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_stat(self);
}

static PyObject *method_list(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.list", {"which"}, 1, 0, 1};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return which_or_all(self, "LIST", v[0]);
}

static PyObject *method_retr(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.retr", {"which"}, 1, 1, 1};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_long(self, "RETR %s", v[0]);
}

static PyObject *method_dele(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.dele", {"which"}, 1, 1, 1};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_short(self, "DELE %s", v[0]);
}

static PyObject *method_noop(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.noop", {NULL}, 0, 0, 0};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_short(self, "NOOP", NULL);
}

static PyObject *method_rset(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.rset", {NULL}, 0, 0, 0};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_short(self, "RSET", NULL);
}

static PyObject *method_quit(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.quit", {NULL}, 0, 0, 0};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_quit(self);
}

static PyObject *method_close(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                              PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.close", {NULL}, 0, 0, 0};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_close(self, NULL);
}

static PyObject *method_rpop(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.rpop", {"user"}, 1, 1, 1};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_short(self, "RPOP %s", v[0]);
}

static PyObject *method_apop(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.apop", {"user", "password"}, 2, 2, 2};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_apop(self, v[0], v[1]);
}

static PyObject *method_top(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                            PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.top", {"which", "howmuch"}, 2, 2, 2};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return top(self, v[0], v[1]);
}

static PyObject *method_uidl(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.uidl", {"which"}, 1, 0, 1};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return which_or_all(self, "UIDL", v[0]);
}

static PyObject *method_utf8(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.utf8", {NULL}, 0, 0, 0};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_short(self, "UTF8", NULL);
}

static PyObject *method_capa(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.capa", {NULL}, 0, 0, 0};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_capa(self);
}

static PyObject *method_stls(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.stls", {"context"}, 1, 0, 1};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_stls(self, v[0]);
}

static PyObject *method_retr_bytes(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                   PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.retr_bytes", {"which"}, 1, 1, 1};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_retr_bytes(self, v[0]);
}

static PyObject *method_retr_into(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                  PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.retr_into", {"which", "file"}, 2, 2, 2};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_retr_into(self, v[0], v[1]);
}

static PyObject *method_retr_many(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                  PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.retr_many", {"numbers", "window"}, 2, 1, 1};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_retr_many(self, v[0], v[1]);
}

static PyObject *method_auth(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    static const cpoplib_signature signature = {
        "POP3.auth", {"mechanism", "authobject", "initial_response_ok"}, 3, 1, 2};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return auth(self, v);
}

static PyObject *method_enter(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                              PyObject *kwnames)
{
    static const cpoplib_signature signature = {"POP3.__enter__", {NULL}, 0, 0, 0};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return new_reference(self);
}

static PyObject *method_exit(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    static const cpoplib_signature signature = {
        "POP3.__exit__", {"exc_type", "exc_value", "traceback"}, 3, 3, 3};
    PyObject *v[CPOPLIB_MAX_PARAMETERS];
    if (!cpoplib_bind(&signature, args, nargs, kwnames, v))
        return NULL;
    return cpoplib_exit(self, v[0]);
}

#if PY_VERSION_HEX >= 0x030B0000
/* What an object has that is written in Python. Without it the fields that are not in the
 * instance's dict would forbid copies; a copy does without them. */
static PyObject *method_getstate(PyObject *self, PyObject *Py_UNUSED(unused))
{
    return PyObject_CallMethod((PyObject *)&PyBaseObject_Type, "__getstate__", "O", self);
}
#endif

enum { FLAGS = METH_FASTCALL | METH_KEYWORDS };

PyMethodDef cpoplib_pop3_methods[] = {
    {"_create_socket", (PyCFunction)(void (*)(void))method_create_socket, FLAGS,
     PyDoc_STR("_create_socket($self, timeout)\n--\n\n"
               "Connects; subclasses override it to connect in their own way.")},
    {"_putline", (PyCFunction)(void (*)(void))method_putline, FLAGS,
     PyDoc_STR("_putline($self, line)\n--\n\n"
               "Sends a line of bytes, CRLF added.")},
    {"_putcmd", (PyCFunction)(void (*)(void))method_putcmd, FLAGS,
     PyDoc_STR("_putcmd($self, line)\n--\n\n"
               "Sends a command line of text.")},
    {"_getline", (PyCFunction)(void (*)(void))method_getline, FLAGS,
     PyDoc_STR("_getline($self)\n--\n\n"
               "Reads a line: (line without its end, octets with it).")},
    {"_getresp", (PyCFunction)(void (*)(void))method_getresp, FLAGS,
     PyDoc_STR("_getresp($self)\n--\n\n"
               "Reads a status line; error_proto unless it starts with +.")},
    {"_getlongresp", (PyCFunction)(void (*)(void))method_getlongresp, FLAGS,
     PyDoc_STR("_getlongresp($self)\n--\n\n"
               "Reads a reply of many lines: (status line, lines, octets).")},
    {"_shortcmd", (PyCFunction)(void (*)(void))method_shortcmd, FLAGS,
     PyDoc_STR("_shortcmd($self, line)\n--\n\n"
               "Sends a command, returns its status line.")},
    {"_longcmd", (PyCFunction)(void (*)(void))method_longcmd, FLAGS,
     PyDoc_STR("_longcmd($self, line)\n--\n\n"
               "Sends a command, returns its reply of many lines.")},
    {"getwelcome", (PyCFunction)(void (*)(void))method_getwelcome, FLAGS,
     PyDoc_STR("getwelcome($self)\n--\n\n"
               "The greeting, as bytes.")},
    {"set_debuglevel", (PyCFunction)(void (*)(void))method_set_debuglevel, FLAGS,
     PyDoc_STR("set_debuglevel($self, level)\n--\n\n"
               "0: print nothing. 1: print commands. 2: print every line too.")},
    {"user", (PyCFunction)(void (*)(void))method_user, FLAGS,
     PyDoc_STR("user($self, user)\n--\n\n"
               "Sends the user name; the reply asks for the password.")},
    {"pass_", (PyCFunction)(void (*)(void))method_pass, FLAGS,
     PyDoc_STR("pass_($self, pswd)\n--\n\n"
               "Sends the password. The server locks the maildrop until quit().")},
    {"stat", (PyCFunction)(void (*)(void))method_stat, FLAGS,
     PyDoc_STR("stat($self)\n--\n\n"
               "(number of messages, octets of all).")},
    {"list", (PyCFunction)(void (*)(void))method_list, FLAGS,
     PyDoc_STR("list($self, which=None)\n--\n\n"
               "Sizes: of one message the reply, of all (reply, lines, octets).")},
    {"retr", (PyCFunction)(void (*)(void))method_retr, FLAGS,
     PyDoc_STR("retr($self, which)\n--\n\n"
               "A whole message: (reply, lines, octets).")},
    {"dele", (PyCFunction)(void (*)(void))method_dele, FLAGS,
     PyDoc_STR("dele($self, which)\n--\n\n"
               "Marks a message as deleted; the server deletes it at quit().")},
    {"noop", (PyCFunction)(void (*)(void))method_noop, FLAGS,
     PyDoc_STR("noop($self)\n--\n\n"
               "Does nothing but get a reply.")},
    {"rset", (PyCFunction)(void (*)(void))method_rset, FLAGS,
     PyDoc_STR("rset($self)\n--\n\n"
               "Takes all marks of deletion back.")},
    {"quit", (PyCFunction)(void (*)(void))method_quit, FLAGS,
     PyDoc_STR("quit($self)\n--\n\n"
               "Ends the session: the server deletes what is marked; closes.")},
    {"close", (PyCFunction)(void (*)(void))method_close, FLAGS,
     PyDoc_STR("close($self)\n--\n\n"
               "Closes without a word to the server: nothing is deleted.")},
    {"rpop", (PyCFunction)(void (*)(void))method_rpop, FLAGS,
     PyDoc_STR("rpop($self, user)\n--\n\n"
               "Logs in as rlogin would (RFC 1081).")},
    {"apop", (PyCFunction)(void (*)(void))method_apop, FLAGS,
     PyDoc_STR("apop($self, user, password)\n--\n\n"
               "Logs in with a digest of the greeting's timestamp and the password.")},
    {"top", (PyCFunction)(void (*)(void))method_top, FLAGS,
     PyDoc_STR("top($self, which, howmuch)\n--\n\n"
               "A message's header and first lines: (reply, lines, octets).")},
    {"uidl", (PyCFunction)(void (*)(void))method_uidl, FLAGS,
     PyDoc_STR("uidl($self, which=None)\n--\n\n"
               "Unique-ids: of one message the reply, of all (reply, lines, octets).")},
    {"utf8", (PyCFunction)(void (*)(void))method_utf8, FLAGS,
     PyDoc_STR("utf8($self)\n--\n\n"
               "Asks for UTF-8 mode (RFC 6856).")},
    {"capa", (PyCFunction)(void (*)(void))method_capa, FLAGS,
     PyDoc_STR("capa($self)\n--\n\n"
               "What the server offers, as a dict of lists.")},
    {"stls", (PyCFunction)(void (*)(void))method_stls, FLAGS,
     PyDoc_STR("stls($self, context=None)\n--\n\n"
               "Begins TLS on the connection (RFC 2595). The default context verifies\n"
               "nothing, as poplib's: give ssl.create_default_context().")},
    {"retr_bytes", (PyCFunction)(void (*)(void))method_retr_bytes, FLAGS,
     PyDoc_STR("retr_bytes($self, which)\n--\n\n"
               "A whole message as bytes, with its own line ends.")},
    {"retr_into", (PyCFunction)(void (*)(void))method_retr_into, FLAGS,
     PyDoc_STR("retr_into($self, which, file)\n--\n\n"
               "Writes a whole message to a binary file; returns its octets.")},
    {"retr_many", (PyCFunction)(void (*)(void))method_retr_many, FLAGS,
     PyDoc_STR("retr_many($self, numbers, *, window=32)\n--\n\n"
               "Iterates over (number, message as bytes), asking for up to window\n"
               "messages ahead where the server announces PIPELINING. A message that\n"
               "is refused raises error_proto; the iteration may go on after it.")},
    {"auth", (PyCFunction)(void (*)(void))method_auth, FLAGS,
     PyDoc_STR("auth($self, mechanism, authobject=None, *, initial_response_ok=True)\n--\n\n"
               "Logs in with a SASL mechanism. authobject() returns the initial response\n"
               "or None, authobject(challenge) the answer or None to give up; without\n"
               "it all answers are empty, as EXTERNAL wants them.")},
#if PY_VERSION_HEX >= 0x030B0000
    {"__getstate__", method_getstate, METH_NOARGS, NULL},
#endif
    {"__enter__", (PyCFunction)(void (*)(void))method_enter, FLAGS, NULL},
    {"__exit__", (PyCFunction)(void (*)(void))method_exit, FLAGS, NULL},
    {NULL, NULL, 0, NULL},
};

bool cpoplib_is_own_getline(PyObject *method, PyObject *self)
{
    return PyCFunction_CheckExact(method) && PyCFunction_GET_SELF(method) == self &&
           PyCFunction_GET_FUNCTION(method) == (PyCFunction)(void (*)(void))method_getline;
}
