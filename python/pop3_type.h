/* The types POP3 and POP3_SSL (pop3_ssl.c), added to the module in this order. */
#ifndef CPOPLIB_POP3_TYPE_H
#define CPOPLIB_POP3_TYPE_H

#include "base.h"

int cpoplib_add_pop3(PyObject *module, cpoplib_state *state);
int cpoplib_add_pop3_ssl(PyObject *module, cpoplib_state *state);

#endif
