/* Where the browser is sent back to: a listener on 127.0.0.1 (RFC 8252 §7.3). */
#ifndef P3_TOKEN_LOOPBACK_H
#define P3_TOKEN_LOOPBACK_H

#include <stdint.h>

#include "support/problem.h"

/* Listens on 127.0.0.1, at a port of the system's choice. Returns the descriptor, or -1. */
int p3_loopback_listen(uint16_t *port, p3_problem *why);

/* Waits, `wait_ms` at most, for the browser to ask for `path`, answers it with a page that says
 * that it is done, and closes the listener. Of other connections nothing is taken: those that ask
 * for something else get 404, those that say nothing are closed after a few seconds. Returns the
 * query in new memory, which holds a code: wipe it; or NULL. */
char *p3_loopback_receive(int listener, const char *path, int wait_ms, p3_problem *why);

/* Closes a listener for which nobody is waited. */
void p3_loopback_close(int listener);

#endif
