/* pop3-testserver under a test's control. */
#ifndef TESTS_SUPPORT_SERVER_H
#define TESTS_SUPPORT_SERVER_H

#include "support/process.h"

#include <stdint.h>

/* A server. Begin with SERVER_NONE. */
typedef struct server {
    process process;
    uint16_t port;     /* plain */
    uint16_t tls_port; /* TLS from the start, or 0 */
    char log[400];     /* the path of its transcript */
} server;

#define SERVER_NONE ((server){.process = PROCESS_NONE})

/* Most options that a test gives a server. */
#define SERVER_OPTIONS 500

/* Starts it (the program POP3_TESTSERVER names) with options up to a NULL, and waits until it
 * listens. `script` is played when it is not NULL; in it ' stands for ", so that scripts read well
 * inside of C. False, with a message on standard error, when it does not listen. */
bool server_start(server *s, const char *script, const char *const *options);

/* Waits until it has ended by itself. Returns its exit status; -1 when it did not end in time. */
int server_wait(server *s);

/* Ends it if it runs, and returns what it said on standard error; free() it. */
char *server_stop(server *s);

/* Its transcript so far; free() it. */
char *server_log(const server *s);

#endif
