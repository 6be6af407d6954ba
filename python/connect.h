/* The life of a connection, over Python's own socket and ssl objects. */
#ifndef CPOPLIB_CONNECT_H
#define CPOPLIB_CONNECT_H

#include "base.h"

/* POP3.__init__; port and timeout may be NULL for their defaults. 0, or -1 with an exception. */
int cpoplib_init(PyObject *self, PyObject *host, PyObject *port, PyObject *timeout);

/* The methods _create_socket and close. */
PyObject *cpoplib_create_socket(PyObject *self, PyObject *timeout);
PyObject *cpoplib_close(PyObject *self);

/* Sets self.sock, and self.file to match; steals the reference to sock, which may be NULL. */
int cpoplib_adopt_socket(const cpoplib_state *state, PyObject *self, PyObject *sock);

/* The default of every `timeout` parameter, a new reference. */
PyObject *cpoplib_default_timeout(const cpoplib_state *state);

/* ssl._create_stdlib_context(), with the keywords given. */
PyObject *cpoplib_ssl_context(const cpoplib_state *state, PyObject *keywords);

/* context.wrap_socket(sock, server_hostname=self.host) */
PyObject *cpoplib_wrap_socket(const cpoplib_state *state, PyObject *self, PyObject *context,
                              PyObject *sock);

#endif
