/* Connecting to sockets of this machine. */
#ifndef P3_SUPPORT_LOCAL_SOCKET_H
#define P3_SUPPORT_LOCAL_SOCKET_H

/* A stream socket that is connected to a Unix-domain socket, non-blocking and closed on exec; -1
 * with errno. EAGAIN: its queue is full. */
int p3_local_connect(const char *path);

#endif
