/* The parts that a connection is made of: each function here is a method of POP3, or helps several.
 */
#ifndef CPOPLIB_CLIENT_H
#define CPOPLIB_CLIENT_H

#include "module.h"

/* lines.c: command lines out, lines in. These are the methods of the same names. */
PyObject *cpoplib_putline(PyObject *self, PyObject *line);
PyObject *cpoplib_putcmd(PyObject *self, PyObject *line);
PyObject *cpoplib_getline(PyObject *self, PyObject *unused);
PyObject *cpoplib_getresp(PyObject *self, PyObject *unused);
PyObject *cpoplib_shortcmd(PyObject *self, PyObject *line);
PyObject *cpoplib_longcmd(PyObject *self, PyObject *line);

/* Closes the connection when the exception that is set is MemoryError: nobody knows how far a
 * command or its reply got, and the next reply would be taken for the one to another command. */
void cpoplib_hang_up_without_memory(const cpoplib_state *state, PyObject *self);

/* Whether self._debugging is over a level (0 means: is true). -1 with an exception. */
int cpoplib_debugging(const cpoplib_state *state, PyObject *self, long level);
/* print(label, repr(object)), as poplib's debug output is made. 0, or -1 with an exception. */
int cpoplib_print(const char *label, PyObject *object);
/* resp, octets = self._getline(), whoever overrode it. 0, or -1 with an exception. */
int cpoplib_next_line(const cpoplib_state *state, PyObject *self, PyObject **line,
                      PyObject **octets);
/* object.startswith(prefix) for bytes and their like; -1 with an exception. */
int cpoplib_starts_with(const cpoplib_state *state, PyObject *object, const char *prefix);

/* long_reply.c: the method _getlongresp. */
PyObject *cpoplib_getlongresp(PyObject *self, PyObject *unused);

/* connect.c: the life of a connection. */
int cpoplib_init(PyObject *self, PyObject *host, PyObject *port, PyObject *timeout);
PyObject *cpoplib_create_socket(PyObject *self, PyObject *timeout);
PyObject *cpoplib_close(PyObject *self, PyObject *unused);
/* Sets self.sock, and self.file to match; steals the reference to sock, which may be NULL. */
int cpoplib_adopt_socket(const cpoplib_state *state, PyObject *self, PyObject *sock);
/* The default of every `timeout` parameter, a new reference. */
PyObject *cpoplib_default_timeout(const cpoplib_state *state);
/* ssl._create_stdlib_context(), with the keywords given. */
PyObject *cpoplib_ssl_context(const cpoplib_state *state, PyObject *keywords);
/* context.wrap_socket(sock, server_hostname=self.host) */
PyObject *cpoplib_wrap_socket(const cpoplib_state *state, PyObject *self, PyObject *context,
                              PyObject *sock);

/* pop3_methods.c: the methods of POP3. */
extern PyMethodDef cpoplib_pop3_methods[];

/* Whether a method object is our own _getline of self. */
bool cpoplib_is_own_getline(PyObject *method, PyObject *self);

/* The types, added to the module. */
int cpoplib_add_pop3(PyObject *module, cpoplib_state *state);
int cpoplib_add_pop3_ssl(PyObject *module, cpoplib_state *state);

#endif
