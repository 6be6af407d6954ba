/* The methods of POP3 as Python sees them. */
#ifndef CPOPLIB_POP3_METHODS_H
#define CPOPLIB_POP3_METHODS_H

#include "function.h"

/* The last row has no name. */
extern const cpoplib_method cpoplib_pop3_methods[];

#endif
