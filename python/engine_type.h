/* cpoplib._Engine: the sans-I/O engine as an object, for cpoplib.aio. It moves no octets: it is fed
 * with what came, tells what to send, and what came of the commands. */
#ifndef CPOPLIB_ENGINE_TYPE_H
#define CPOPLIB_ENGINE_TYPE_H

#include "base.h"

int cpoplib_add_engine(PyObject *module, cpoplib_state *state);

#endif
