/* The sockets that packets with descriptors go over. */
#ifndef P3_SYSTEM_PACKET_SOCKET_H
#define P3_SYSTEM_PACKET_SOCKET_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

/* A pair of sockets, closed on exec, on which packets stay whole, and the end of one side is seen
 * at the other. False with errno. */
bool p3_packet_pair(int ends[2]);

/* recvmsg(2), with descriptors that are closed on exec. */
ssize_t p3_packet_take(int fd, struct msghdr *m);

#endif
