/* The waits of a connection, shared by conn.c and conn_state.c and nobody else.
 * Each also ends when the server is told to stop. */
#ifndef TESTSERVER_CONN_WAIT_H
#define TESTSERVER_CONN_WAIT_H

#include "conn.h"

/* Milliseconds of the monotonic clock. */
int64_t conn_now(void);

/* Until the socket is ready (IO_OK), the deadline (IO_TIMEOUT; -1: none), or IO_STOPPED. */
enum io conn_poll(const struct conn *c, short events, int64_t deadline);

/* For so many milliseconds: IO_OK, or IO_STOPPED. */
enum io conn_pause(const struct conn *c, unsigned ms);

#endif
