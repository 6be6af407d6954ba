/* The arguments of a script's statements: which each one takes, and their conversion. */
#ifndef TESTSERVER_SCRIPT_ARGS_H
#define TESTSERVER_SCRIPT_ARGS_H

#include "script.h"

/* Sets the kind of the statement called `name`, and turns its texts into what it needs: numbers,
 * paths, a TLS context. False, with a complaint, when they are not what it takes. */
bool script_args(struct statement *st, const char *name, const char *script,
                 const struct tls_settings *settings);

#endif
