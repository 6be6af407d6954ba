/* The sockets for packets with descriptors. */
#ifndef P3_SYSTEM_PACKET_SOCKET_H
#define P3_SYSTEM_PACKET_SOCKET_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

/* A pair of close-on-exec sockets that preserve packets, and on which the end of one side is seen
 * by the other. False with errno. */
bool p3_packet_pair(int ends[2]);

/* recvmsg(2), with descriptors that are close-on-exec. */
ssize_t p3_packet_recvmsg(int fd, struct msghdr *m);

#endif
