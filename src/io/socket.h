/* Sockets: non-blocking, close-on-exec, and writes that never raise SIGPIPE. */
#ifndef P3_IO_SOCKET_H
#define P3_IO_SOCKET_H

#include <pop3/types.h>

#include <sys/types.h>

/* A non-blocking socket that is closed on exec and never raises SIGPIPE; -1 with errno. */
int p3_socket(int family);

/* Prepares a socket of a family that somebody else created: no SIGPIPE, and TCP_NODELAY. */
void p3_socket_prepare(int fd, int family);

/* recv(2) and send(2), repeated after EINTR; send never raises SIGPIPE. */
ssize_t p3_recv(int fd, void *buffer, size_t len);
ssize_t p3_send(int fd, const void *data, size_t len);

/* Closes *fd unless it is -1, keeping errno, and sets it to -1. */
void p3_close(int *fd);

#endif
