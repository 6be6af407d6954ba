/* The methods of POP3 that send poplib's commands. */
#ifndef CPOPLIB_COMMANDS_H
#define CPOPLIB_COMMANDS_H

#include "base.h"

/* self._shortcmd(format % argument) and self._longcmd(format % argument); without an argument
 * (NULL) the format is the command. */
PyObject *cpoplib_short(PyObject *self, const char *format, PyObject *argument);
PyObject *cpoplib_long(PyObject *self, const char *format, PyObject *argument);

/* The methods of the same names. */
PyObject *cpoplib_stat(PyObject *self);
PyObject *cpoplib_quit(PyObject *self);
PyObject *cpoplib_apop(PyObject *self, PyObject *user, PyObject *password);
PyObject *cpoplib_capa(PyObject *self);
PyObject *cpoplib_stls(PyObject *self, PyObject *context);

#endif
