/* Sends command lines and reads lines: poplib's private methods. */
#ifndef CPOPLIB_LINES_H
#define CPOPLIB_LINES_H

#include "base.h"

/* The methods of the same names. */
PyObject *cpoplib_putline(PyObject *self, PyObject *line);
PyObject *cpoplib_putcmd(PyObject *self, PyObject *line);
PyObject *cpoplib_getline(PyObject *self);
PyObject *cpoplib_getresp(PyObject *self);

/* Whether a command line is free of octets that would end or cut it; otherwise ValueError, and
 * false. */
bool cpoplib_check_command(const char *octets, size_t len);

/* Does what _getresp() does, if _getline() is known to be POP3's own. */
PyObject *cpoplib_own_response(const cpoplib_state *state, PyObject *self);

/* Whether the module's CR and CRLF are unchanged: then lines end as in the engine. */
bool cpoplib_usual_ends(const cpoplib_state *state);

/* bytes(text, self.encoding) */
PyObject *cpoplib_encoded(const cpoplib_state *state, PyObject *self, PyObject *text);

/* Closes the connection if the current exception is MemoryError: it is unknown how far a command or
 * its reply got, and the next reply would be taken for the one to another command. */
void cpoplib_hang_up_without_memory(const cpoplib_state *state, PyObject *self);

/* resp, octets = self._getline(), even if overridden. 0, or -1 with an exception. */
int cpoplib_next_line(const cpoplib_state *state, PyObject *self, PyObject **line,
                      PyObject **octets);
/* object.startswith(prefix) for bytes and similar objects; -1 with an exception. */
int cpoplib_starts_with(const cpoplib_state *state, PyObject *object, const char *prefix);

#endif
