/* The methods of POP3 as Python sees them. */
#ifndef CPOPLIB_POP3_METHODS_H
#define CPOPLIB_POP3_METHODS_H

#include "base.h"

extern PyMethodDef cpoplib_pop3_methods[];

#endif
