/* What all connections share. Constant once the server listens, but for `memory`, which has a
 * lock, and `log`, whose functions may be called from any thread. */
#ifndef TESTSERVER_SERVER_H
#define TESTSERVER_SERVER_H

#include "log.h"
#include "maildrop.h"
#include "options.h"
#include "script.h"

struct server {
    struct options options;
    struct tls_context *tls; /* NULL without --cert */
    struct log *log;
    struct memory memory;
    struct script **scripts;
    size_t n_scripts;
    int stop_fd; /* readable when the server is to stop */
};

#endif
