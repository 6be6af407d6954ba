/* Plain descriptors: non-blocking, closed on exec, and writes that never raise SIGPIPE. */
#ifndef P3_IO_SOCKET_H
#define P3_IO_SOCKET_H

#include <pop3/types.h>

#include <sys/types.h>

/* A non-blocking socket that is closed on exec and never raises SIGPIPE; -1 with errno. */
int p3_socket(int family);

/* A pipe, both ends non-blocking and closed on exec. False with errno. */
bool p3_pipe(int ends[2]);

/* recv(2) and send(2) that try again after EINTR; send never raises SIGPIPE. */
ssize_t p3_recv(int fd, void *buffer, size_t len);
ssize_t p3_send(int fd, const void *data, size_t len);

/* Acknowledges what has come by now. The peer may hold back what it sends next until then (Nagle's
 * algorithm), and the system waits for something to send along (RFC 1122 §4.2.3.2), up to 40 ms. */
void p3_acknowledge(int fd);

/* Closes *fd unless it is -1, keeping errno, and sets it to -1. */
void p3_close(int *fd);

#endif
