/* The end of the process, which a signal has asked for. Whatever waits for others in a thread of
 * its own, such as a delivery for a server, looks here, so that one that is silent does not keep
 * the process: it has a while for what is under way, as what it has taken and not confirmed may
 * have to be sent again. A process has one such end; a program that has none leaves it out. */
#ifndef P3_SUPPORT_STOP_REQUEST_H
#define P3_SUPPORT_STOP_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds that what is under way has, once the end is asked for. */
#define P3_STOP_GRACE_MS 20000

/* Names the descriptor that is readable from the moment on at which the end is asked for, and
 * stays so. Before there are threads. */
void p3_stop_request_watch(int fd);

/* Whether that has been done. */
bool p3_stop_request_is_watched(void);

/* Whether it has been asked for. */
bool p3_stop_request_is_made(void);

/* A time of p3_clock_ms() until which something may wait: `until`, or earlier when the end has been
 * asked for. */
int64_t p3_stop_request_until(int64_t until);

/* Waits as poll(2) for events of a descriptor (-1: of none) until a time of p3_clock_ms(), or until
 * the end is asked for, whichever is first. Returns 1 for events; 0 when there are none, and where
 * a signal came or the end was asked for: the caller looks whether its time is over. -1 with errno.
 */
int p3_stop_request_poll(int fd, short events, int64_t until);

/* Why a wait of a target's came to nothing, for people: strerror(3), but for the ECANCELED that
 * p3_dial_wait() sets when the end was asked for. */
const char *p3_stop_request_reason(int error);

#endif
