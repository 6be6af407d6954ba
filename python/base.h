/* Used by all other files: the module's state, the names it looks up, exceptions, and debug output.
 */
#ifndef CPOPLIB_BASE_H
#define CPOPLIB_BASE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include <pop3/engine.h>
#include <stdatomic.h>
#include <stdbool.h>

/* An object's own lock, in builds without a GIL. */
#ifdef Py_GIL_DISABLED
#define CPOPLIB_LOCK(object) Py_BEGIN_CRITICAL_SECTION(object)
#define CPOPLIB_UNLOCK()     Py_END_CRITICAL_SECTION()
#else
#define CPOPLIB_LOCK(object)                                                                       \
    {                                                                                              \
        (void)(object)
#define CPOPLIB_UNLOCK() }
#endif

/* Names of attributes, methods and module globals, and the texts of commands: each is one interned
 * str in cpoplib_state.names. The first are methods of POP3 that its commands use, and that
 * subclasses override. */
#define CPOPLIB_NAMES(X)                                                                           \
    X(GETLINE, "_getline")                                                                         \
    X(GETLONGRESP, "_getlongresp")                                                                 \
    X(GETRESP, "_getresp")                                                                         \
    X(LONGCMD, "_longcmd")                                                                         \
    X(PUTCMD, "_putcmd")                                                                           \
    X(PUTLINE, "_putline")                                                                         \
    X(SHORTCMD, "_shortcmd")                                                                       \
    X(CREATE_SOCKET, "_create_socket")                                                             \
    X(DEBUGGING, "_debugging")                                                                     \
    X(MAXLINE, "_MAXLINE")                                                                         \
    X(READ, "read")                                                                                \
    X(RECV_INTO, "recv_into")                                                                      \
    X(SEND, "send")                                                                                \
    X(SENDALL, "sendall")                                                                          \
    X(FILENO, "fileno")                                                                            \
    X(RAW_SOCK, "_sock")                                                                           \
    X(SSLOBJ, "_sslobj")                                                                           \
    X(SUPPRESS_RAGGED_EOFS, "suppress_ragged_eofs")                                                \
    X(TIMEOUT, "timeout")                                                                          \
    X(TIMEOUT_OCCURRED, "_timeout_occurred")                                                       \
    X(TLS_ESTABLISHED, "_tls_established")                                                         \
    X(CLOSE, "close")                                                                              \
    X(CONTEXT, "context")                                                                          \
    X(CREATE_CONNECTION, "create_connection")                                                      \
    X(CR, "CR")                                                                                    \
    X(CRLF, "CRLF")                                                                                \
    X(DECODE, "decode")                                                                            \
    X(DEFAULT_TIMEOUT, "_GLOBAL_DEFAULT_TIMEOUT")                                                  \
    X(ENCODING, "encoding")                                                                        \
    X(FILE, "file")                                                                                \
    X(GROUP, "group")                                                                              \
    X(HEXDIGEST, "hexdigest")                                                                      \
    X(HOST, "host")                                                                                \
    X(MAKEFILE, "makefile")                                                                        \
    X(MATCH, "match")                                                                              \
    X(MD5, "md5")                                                                                  \
    X(MODE_RB, "rb")                                                                               \
    X(PORT, "port")                                                                                \
    X(READINTO, "readinto")                                                                        \
    X(READLINE, "readline")                                                                        \
    X(SHUTDOWN, "shutdown")                                                                        \
    X(SHUT_RDWR, "SHUT_RDWR")                                                                      \
    X(SOCK, "sock")                                                                                \
    X(SOCKET, "socket")                                                                            \
    X(SPLIT, "split")                                                                              \
    X(SSL, "ssl")                                                                                  \
    X(STARTSWITH, "startswith")                                                                    \
    X(TIMESTAMP, "timestamp")                                                                      \
    X(WELCOME, "welcome")                                                                          \
    X(WRITE, "write")

#define CPOPLIB_NAME(name, text) NAME_##name,
typedef enum cpoplib_name {
    CPOPLIB_NAMES(CPOPLIB_NAME) NAME_COUNT,
    OWN_METHODS = NAME_SHORTCMD + 1, /* the number of these methods */
    TLS_METHODS = 4 /* names from NAME_READ on: the methods of an SSLSocket that transfer octets */
} cpoplib_name;
#undef CPOPLIB_NAME

/* The module's state: one for each interpreter that imports it. */
typedef struct cpoplib_state {
    PyObject *globals;           /* the module's dict, borrowed: the module outlives its state */
    PyObject *error_proto;       /* the exception */
    PyTypeObject *pop3_type;     /* POP3 */
    PyTypeObject *pop3_ssl_type; /* POP3_SSL, or NULL without ssl */
    PyTypeObject *reader_type;   /* the type of POP3.file */
    PyTypeObject *block_type;    /* the buffer of such a file */
    PyTypeObject *window_type;   /* the iterator of retr_many() */
    PyTypeObject *caps_type;     /* the type of POP3.capabilities */
    PyObject *buffered_reader;   /* io.BufferedReader */
    PyTypeObject *function_type; /* the methods of POP3 */
    PyObject *own[OWN_METHODS];  /* POP3's original methods of those names */
    PyObject *names[NAME_COUNT];
    /* Python's own types for transferring octets; see wire.h. All NULL if they are unknown. */
    PyTypeObject *socket_type; /* socket.socket */
    PyObject *socket_sendall;
    PyObject *socket_recv_into;
    PyObject *timeout_error;
    PyTypeObject *file_type; /* socket.SocketIO */
    PyObject *file_readinto;
    bool look;                     /* more than one processor: a wait may begin with polling */
    atomic_bool tls_learned;       /* whether the rest has been looked up: ssl was imported */
    PyTypeObject *tls_type;        /* ssl.SSLSocket */
    PyTypeObject *tls_object_type; /* _ssl._SSLSocket */
    PyObject *tls_error;           /* ssl.SSLError */
    PyObject *tls_own[TLS_METHODS];
} cpoplib_state;

/* Interns the names, and finds the module's dict. 0, or -1 with an exception. */
int cpoplib_state_begin(cpoplib_state *state, PyObject *module);

/* For the garbage collector, and the end of the module. */
int cpoplib_state_traverse(PyObject *module, visitproc visit, void *arg);
int cpoplib_state_clear(PyObject *module);
void cpoplib_state_free(void *module);

/* The state that belongs to an instance of one of the module's types, or of a subclass. Never fails
 * for such an instance. */
cpoplib_state *cpoplib_state_of(PyObject *self);

/* Another reference to the same object; NULL for NULL. */
static inline PyObject *cpoplib_new_reference(PyObject *object)
{
    Py_XINCREF(object);
    return object;
}

/* A new reference to a field of an object, or NULL, while another thread may set it, such as an
 * instance's dict. */
static inline PyObject *cpoplib_field(PyObject *self, PyObject *const *field)
{
    PyObject *value;
    CPOPLIB_LOCK(self);
    value = cpoplib_new_reference(*field);
    CPOPLIB_UNLOCK();
    return value;
}

/* getattr(object, name), a new reference. */
PyObject *cpoplib_get(const cpoplib_state *state, PyObject *object, cpoplib_name name);

/* setattr(object, name, value); steals the reference to value, which may be NULL after an error.
 * 0, or -1 with an exception set. */
int cpoplib_set(const cpoplib_state *state, PyObject *object, cpoplib_name name, PyObject *value);

/* The current value of a module global (users change _MAXLINE), a new reference; NameError when it
 * was deleted. ssl is imported when it is first used, because it takes half of the memory and most
 * of the time of importing poplib, and a connection without TLS does not need it. */
PyObject *cpoplib_global(const cpoplib_state *state, cpoplib_name name);

/* A dict's value for a key, a new reference; NULL when there is none, or with an exception. */
PyObject *cpoplib_dict_get(PyObject *dict, PyObject *key);

/* The same for a key that is a text. */
PyObject *cpoplib_dict_value(PyObject *dict, const char *key);

/* Raises error_proto with one argument: a text, or any object. */
void cpoplib_raise_text(const cpoplib_state *state, const char *text);
void cpoplib_raise_object(const cpoplib_state *state, PyObject *argument);

/* Takes the current exception out of the interpreter, normalized, with its traceback. */
PyObject *cpoplib_take_exception(void);

/* Raises an exception that was taken; steals the reference. If another one is set by now, that one
 * remains and gets this one as its context, as in a `finally` clause that raises. */
void cpoplib_restore_exception(PyObject *exception);

/* An int's value when it is exactly an int that fits; false otherwise, with no exception set. */
bool cpoplib_plain_int(PyObject *object, Py_ssize_t *value);

/* Whether self._debugging is above a level (0 means: is true). -1 with an exception. */
int cpoplib_debugging(const cpoplib_state *state, PyObject *self, long level);
/* print(label, repr(object)), like poplib's debug output. 0, or -1 with an exception. */
int cpoplib_print(const char *label, PyObject *object);
/* Prints that if self._debugging is above the level. 0, or -1 with an exception. */
int cpoplib_debug(const cpoplib_state *state, PyObject *self, long level, const char *label,
                  PyObject *object);

#endif
