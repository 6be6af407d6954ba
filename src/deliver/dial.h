/* Connects to a server that receives messages, with deadlines, also from inside the sandbox. */
#ifndef P3_DELIVER_DIAL_H
#define P3_DELIVER_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "deliver/server_address.h"
#include "support/problem.h"

/* Returns a non-blocking stream socket connected to the server, which speaks `protocol`. Waits up
 * to half a minute for each address. -1, with the problem, when it cannot be reached. */
int p3_dial(const p3_server_address *to, const char *protocol, p3_problem *why);

/* Waits for events of poll(2) until a time of p3_clock_ms(). False with errno. */
bool p3_dial_wait(int fd, short events, int64_t until);

#endif
