/* cpoplib._Engine: the sans-I/O engine as an object, for cpoplib.aio. It does no input or output:
 * it is fed with received octets, and returns the octets to send and the results of commands. */
#ifndef CPOPLIB_ENGINE_TYPE_H
#define CPOPLIB_ENGINE_TYPE_H

#include "base.h"

int cpoplib_add_engine(PyObject *module, cpoplib_state *state);

#endif
