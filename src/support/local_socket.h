/* Connecting sockets. */
#ifndef P3_SUPPORT_LOCAL_SOCKET_H
#define P3_SUPPORT_LOCAL_SOCKET_H

struct sockaddr_storage;

/* A stream socket that is connected to a Unix-domain socket, non-blocking and closed on exec; -1
 * with errno. EAGAIN: its queue is full. */
int p3_local_connect(const char *path);

/* The same over TCP, but that it need not be connected yet; from an address, unless that is NULL,
 * and a port of the kernel's choice. */
int p3_dial_socket(const struct sockaddr_storage *to, const struct sockaddr_storage *source);

#endif
