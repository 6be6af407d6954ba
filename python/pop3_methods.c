/* The table of POP3's methods. */
#include "pop3_methods.h"

#include "arguments.h"
#include "authenticate.h"
#include "commands.h"
#include "connect.h"
#include "exchange.h"
#include "extras.h"
#include "lines.h"
#include "long_reply.h"
#include "window.h"

static PyObject *set_debuglevel(PyObject *self, PyObject *level)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    if (PyObject_SetAttr(self, state->names[NAME_DEBUGGING], level) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* LIST and UIDL: a line for one message, or the listing of all. */
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

static PyObject *init(PyObject *self, PyObject *const *v)
{
    if (cpoplib_init(self, v[0], v[1], v[2]) < 0)
        return NULL;
    Py_RETURN_NONE;
}

#define TEXT_TAKES_SERVER    "(self, host, port=110, timeout=socket._GLOBAL_DEFAULT_TIMEOUT)"
#define BIND_TAKES_SERVER    {"host", "port", "timeout"}, 3, 1, 3
#define TEXT_TAKES_NUMBERS   "(self, numbers, *, window=32)"
#define BIND_TAKES_NUMBERS   {"numbers", "window"}, 2, 1, 1
#define TEXT_TAKES_MECHANISM "(self, mechanism, authobject=None, *, initial_response_ok=True)"
#define BIND_TAKES_MECHANISM {"mechanism", "authobject", "initial_response_ok"}, 3, 1, 2

/* The type, the method's name, its parameters, its result, its documentation. */
#define METHODS(X)                                                                                 \
    X(POP3, __init__, TAKES_SERVER, init(self, v), "Connects, and reads the greeting.")            \
    X(POP3, _create_socket, TAKES(timeout), cpoplib_create_socket(self, v[0]),                     \
      "Connects; subclasses override it to connect differently.")                                  \
    X(POP3, _putline, TAKES(line), cpoplib_putline(self, v[0]),                                    \
      "Sends a line of bytes, with CRLF added.")                                                   \
    X(POP3, _putcmd, TAKES(line), cpoplib_putcmd(self, v[0]), "Sends a command line of text.")     \
    X(POP3, _getline, TAKES_NOTHING, cpoplib_getline(self),                                        \
      "Reads a line: (line without its end, octets including its end).")                           \
    X(POP3, _getresp, TAKES_NOTHING, cpoplib_getresp(self),                                        \
      "Reads a status line; error_proto unless it starts with +.")                                 \
    X(POP3, _getlongresp, TAKES_NOTHING, cpoplib_getlongresp(self),                                \
      "Reads a reply of many lines: (status line, lines, octets).")                                \
    X(POP3, _shortcmd, TAKES(line), cpoplib_shortcmd(self, v[0]),                                  \
      "Sends a command, returns its status line.")                                                 \
    X(POP3, _longcmd, TAKES(line), cpoplib_longcmd(self, v[0]),                                    \
      "Sends a command, returns its reply of many lines.")                                         \
    X(POP3, getwelcome, TAKES_NOTHING, cpoplib_get(cpoplib_state_of(self), self, NAME_WELCOME),    \
      "The greeting, as bytes.")                                                                   \
    X(POP3, set_debuglevel, TAKES(level), set_debuglevel(self, v[0]),                              \
      "0: print nothing. 1: print commands. 2: print every line too.")                             \
    X(POP3, user, TAKES(user), cpoplib_short(self, "USER %s", v[0]),                               \
      "Sends the user name; the reply asks for the password.")                                     \
    X(POP3, pass_, TAKES(pswd), cpoplib_short(self, "PASS %s", v[0]),                              \
      "Sends the password. The server locks the maildrop until quit().")                           \
    X(POP3, stat, TAKES_NOTHING, cpoplib_stat(self), "(number of messages, octets of all).")       \
    X(POP3, list, MAY_TAKE(which), which_or_all(self, "LIST", v[0]),                               \
      "Sizes: of one message the reply, of all (reply, lines, octets).")                           \
    X(POP3, retr, TAKES(which), cpoplib_long(self, "RETR %s", v[0]),                               \
      "A whole message: (reply, lines, octets).")                                                  \
    X(POP3, dele, TAKES(which), cpoplib_short(self, "DELE %s", v[0]),                              \
      "Marks a message as deleted; the server deletes it at quit().")                              \
    X(POP3, noop, TAKES_NOTHING, cpoplib_short(self, "NOOP", NULL), "Does nothing on the server.") \
    X(POP3, rset, TAKES_NOTHING, cpoplib_short(self, "RSET", NULL),                                \
      "Removes all marks of deletion.")                                                            \
    X(POP3, quit, TAKES_NOTHING, cpoplib_quit(self),                                               \
      "Ends the session, so that the server deletes the marked messages, and closes.")             \
    X(POP3, close, TAKES_NOTHING, cpoplib_close(self), "Closes without QUIT: nothing is deleted.") \
    X(POP3, rpop, TAKES(user), cpoplib_short(self, "RPOP %s", v[0]),                               \
      "Logs in by the trust of the host (RFC 1081).")                                              \
    X(POP3, apop, TAKES_TWO(user, password), cpoplib_apop(self, v[0], v[1]),                       \
      "Logs in with a digest of the greeting's timestamp and the password.")                       \
    X(POP3, top, TAKES_TWO(which, howmuch), top(self, v[0], v[1]),                                 \
      "A message's header and first lines: (reply, lines, octets).")                               \
    X(POP3, uidl, MAY_TAKE(which), which_or_all(self, "UIDL", v[0]),                               \
      "Unique-ids: of one message the reply, of all (reply, lines, octets).")                      \
    X(POP3, utf8, TAKES_NOTHING, cpoplib_short(self, "UTF8", NULL),                                \
      "Asks for UTF-8 mode (RFC 6856).")                                                           \
    X(POP3, capa, TAKES_NOTHING, cpoplib_capa(self),                                               \
      "What the server offers, as a dict of lists.")                                               \
    X(POP3, stls, MAY_TAKE(context), cpoplib_stls(self, v[0]),                                     \
      "Begins TLS on the connection (RFC 2595). The default context verifies\n"                    \
      "nothing, as in poplib: pass ssl.create_default_context().")                                 \
    X(POP3, retr_bytes, TAKES(which), cpoplib_retr_bytes(self, v[0]),                              \
      "A whole message as bytes, with the server's line ends.")                                    \
    X(POP3, retr_into, TAKES_TWO(which, file), cpoplib_retr_into(self, v[0], v[1]),                \
      "Writes a whole message to a binary file; returns its octets.")                              \
    X(POP3, retr_many, TAKES_NUMBERS, cpoplib_retr_many(self, v[0], v[1]),                         \
      "Iterates over (number, message as bytes), and requests up to window\n"                      \
      "messages in advance if the server announces PIPELINING. A message that\n"                   \
      "is refused raises error_proto; the iteration can continue after it.")                       \
    X(POP3, auth, TAKES_MECHANISM, auth(self, v),                                                  \
      "Logs in with a SASL mechanism. authobject() returns the initial response\n"                 \
      "or None, authobject(challenge) the answer or None to cancel; without\n"                     \
      "it all answers are empty, as for EXTERNAL.")                                                \
    X(POP3, __enter__, TAKES_NOTHING, cpoplib_new_reference(self), "The connection itself.")       \
    X(POP3, __exit__, TAKES_THREE(exc_type, exc_value, traceback), cpoplib_exit(self, v[0]),       \
      "Quits; after an exception closes without deleting anything.")

METHODS(METHOD_WRAPPER)

const cpoplib_method cpoplib_pop3_methods[] = {
    METHODS(METHOD_ROW){NULL, NULL, NULL, NULL, NULL},
};
