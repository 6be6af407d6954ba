/* The request to end the process, by a signal. Everything that waits in a thread, such as a
 * delivery for a server, checks it, so that a silent server does not block the process. Pending
 * work has a grace period, because a message that a server has accepted and not confirmed may have
 * to be sent again. A process has one such request; a program that does not use it need not set it
 * up. */
#ifndef P3_SUPPORT_STOP_REQUEST_H
#define P3_SUPPORT_STOP_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds that pending work has after the request. */
#define P3_STOP_GRACE_MS 20000

/* Sets the descriptor that becomes, and stays, readable when the end is requested. To be called
 * before threads are started. */
void p3_stop_request_watch(int fd);

/* Whether the descriptor has been set. */
bool p3_stop_request_is_watched(void);

/* Whether the end has been requested. */
bool p3_stop_request_is_made(void);

/* A time of p3_clock_ms() until which something may wait: `until`, or earlier when the end has been
 * requested. */
int64_t p3_stop_request_until(int64_t until);

/* Waits like poll(2) for events of a descriptor (-1: none) until a time of p3_clock_ms(), or until
 * the end is requested. Returns 1 for events; 0 when there are none, or after a signal or a
 * request: the caller checks the time. -1 with errno. */
int p3_stop_request_poll(int fd, short events, int64_t until);

/* Why a target's wait failed, for people: strerror(3), except for the ECANCELED that p3_dial_wait()
 * sets when the end was requested. */
const char *p3_stop_request_reason(int error);

#endif
