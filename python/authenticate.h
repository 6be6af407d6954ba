/* POP3.auth(): a SASL exchange in which a Python callable provides the answers (RFC 5034). */
#ifndef CPOPLIB_AUTHENTICATE_H
#define CPOPLIB_AUTHENTICATE_H

#include "base.h"

PyObject *cpoplib_auth(PyObject *self, PyObject *mechanism, PyObject *authobject,
                       int initial_response_ok);

#endif
