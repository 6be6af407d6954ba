/* The redirect address of the browser: a listener on 127.0.0.1 (RFC 8252 §7.3). */
#ifndef P3_TOKEN_LOOPBACK_H
#define P3_TOKEN_LOOPBACK_H

#include <stdint.h>

#include "support/problem.h"

/* Listens on 127.0.0.1, on any free port. Returns the descriptor, or -1. */
int p3_loopback_listen(uint16_t *port, p3_problem *why);

/* Waits, at most `wait_ms`, for the browser to request `path` with this parameter `state`, answers
 * it with a page that says that the sign-in is done, and closes the listener. A request with
 * another state gets a page that says so, others get 404, and silent connections are closed after a
 * few seconds. Returns the query, which contains a code, in new memory: wipe it; or NULL. */
char *p3_loopback_receive(int listener, const char *path, const char *state, int wait_ms,
                          p3_problem *why);

/* Closes a listener that is not used. */
void p3_loopback_close(int listener);

#endif
