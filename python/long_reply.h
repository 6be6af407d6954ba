/* Replies of many lines. */
#ifndef CPOPLIB_LONG_REPLY_H
#define CPOPLIB_LONG_REPLY_H

#include "base.h"

/* The method _getlongresp. `own` is the function of POP3._getline: when that is what self._getline
 * calls, nobody has overridden it, and lines are cut without it. */
PyObject *cpoplib_getlongresp(PyObject *self);

#endif
