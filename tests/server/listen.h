/* Sockets that listen, on loopback addresses only. */
#ifndef TESTSERVER_LISTEN_H
#define TESTSERVER_LISTEN_H

#include <stdbool.h>

/* Whether text is a numeric loopback address. */
bool is_loopback(const char *text);

/* Listens at a numeric loopback address; *port 0 becomes the one chosen.
 * The descriptor (non-blocking), or -1 with the reason printed. */
int listen_at(const char *address, unsigned *port);

#endif
