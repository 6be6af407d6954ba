/* What the files of the extension share: the module's state, the names it looks up, and the object
 * that stands for one connection. */
#ifndef CPOPLIB_MODULE_H
#define CPOPLIB_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include <pop3/engine.h>
#include <stdbool.h>

/* Names of attributes, methods and module globals, and the texts of commands: each is one interned
 * str in cpoplib_state.names. */
typedef enum cpoplib_name {
    NAME_CREATE_SOCKET,
    NAME_DEBUGGING,
    NAME_GETLINE,
    NAME_GETLONGRESP,
    NAME_GETRESP,
    NAME_LONGCMD,
    NAME_MAXLINE,
    NAME_PUTCMD,
    NAME_PUTLINE,
    NAME_SHORTCMD,
    NAME_TLS_ESTABLISHED,
    NAME_CLOSE,
    NAME_CONTEXT,
    NAME_CREATE_CONNECTION,
    NAME_CRLF,
    NAME_DECODE,
    NAME_DEFAULT_TIMEOUT,
    NAME_ENCODING,
    NAME_FILE,
    NAME_GROUP,
    NAME_HEXDIGEST,
    NAME_HOST,
    NAME_MAKEFILE,
    NAME_MATCH,
    NAME_MD5,
    NAME_MODE_RB,
    NAME_PORT,
    NAME_RAW,
    NAME_READINTO,
    NAME_READLINE,
    NAME_SENDALL,
    NAME_SHUTDOWN,
    NAME_SHUT_RDWR,
    NAME_SOCK,
    NAME_SOCKET,
    NAME_SPLIT,
    NAME_SSL,
    NAME_STARTSWITH,
    NAME_TIMESTAMP,
    NAME_WELCOME,
    NAME_WRITE,
    NAME_COUNT
} cpoplib_name;

/* The module's state: one for each interpreter that imports it. */
typedef struct cpoplib_state {
    PyObject *globals;           /* the module's dict, borrowed: the module outlives its state */
    PyObject *error_proto;       /* the exception */
    PyTypeObject *pop3_type;     /* POP3 */
    PyTypeObject *pop3_ssl_type; /* POP3_SSL, or NULL without ssl */
    PyTypeObject *reader_type;   /* the type of POP3.file */
    PyTypeObject *window_type;   /* what retr_many() returns */
    PyTypeObject *caps_type;     /* what POP3.capabilities is */
    PyObject *buffered_reader;   /* io.BufferedReader */
    PyObject *names[NAME_COUNT];
} cpoplib_state;

/* A connection: an instance of POP3. What poplib keeps as attributes is in the instance's dict here
 * too, so that subclasses, vars() and assignments find it there. */
typedef struct cpoplib_client {
    PyObject_HEAD PyObject *dict;
    PyObject *weakrefs;
    pop3_engine *engine; /* drives what poplib does not have; NULL until that is used */
    PyObject *window;    /* the retr_many() iterator that replies in flight belong to, borrowed, or
                            NULL: no one wants them any more */
    bool capabilities_asked; /* CAPA was answered, whatever with, since `engine` was made */
    PyObject *kept; /* list of a few lines of the last long reply, or NULL; see keep_memory() */
    bool busy;      /* the engine is at work, perhaps without the GIL */
    bool forget;    /* free the engine as soon as it is not busy */
} cpoplib_client;

/* The state that belongs to an instance of one of the module's types, or of a subclass. Never fails
 * for such an instance. */
cpoplib_state *cpoplib_state_of(PyObject *self);

/* getattr(object, name), a new reference. */
PyObject *cpoplib_get(const cpoplib_state *state, PyObject *object, cpoplib_name name);

/* setattr(object, name, value); steals the reference to value, which may be NULL after an error.
 * 0, or -1 with an exception set. */
int cpoplib_set(const cpoplib_state *state, PyObject *object, cpoplib_name name, PyObject *value);

/* The module global of that name as it is now (users change _MAXLINE), a new reference; NameError
 * when it was deleted. */
PyObject *cpoplib_global(const cpoplib_state *state, cpoplib_name name);

/* A dict's value for a text, a new reference; NULL when there is none, or with an exception. */
PyObject *cpoplib_dict_value(PyObject *dict, const char *key);

/* Raises error_proto with one argument: a text, or any object. */
void cpoplib_raise_text(const cpoplib_state *state, const char *text);
void cpoplib_raise_object(const cpoplib_state *state, PyObject *argument);

/* Takes the current exception out of the interpreter, normalized, with its traceback. */
PyObject *cpoplib_take_exception(void);

/* Raises an exception that was taken; steals the reference. When another one is set by now, that
 * one stays and gets this one as its context, as in a `finally` clause that raises. */
void cpoplib_restore_exception(PyObject *exception);

/* An int's value when it is exactly an int that fits; false otherwise, with no exception set. */
bool cpoplib_plain_int(PyObject *object, Py_ssize_t *value);

#endif
