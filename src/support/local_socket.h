/* Connecting sockets. */
#ifndef P3_SUPPORT_LOCAL_SOCKET_H
#define P3_SUPPORT_LOCAL_SOCKET_H

struct sockaddr_storage;

/* A stream socket connected to a Unix-domain socket, non-blocking and close-on-exec; -1 with errno.
 * EAGAIN: its queue is full. */
int p3_local_connect(const char *path);

/* The same over TCP, except that it may still be connecting; from an address, unless that is NULL,
 * and any port. */
int p3_dial_socket(const struct sockaddr_storage *to, const struct sockaddr_storage *source);

#endif
