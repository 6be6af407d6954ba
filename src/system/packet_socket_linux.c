/* Messages between processes: sockets and received descriptors are close-on-exec from the start. */
#include "system/packet_socket.h"

bool p3_packet_pair(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0;
}

ssize_t p3_packet_recvmsg(int fd, struct msghdr *m)
{
    return recvmsg(fd, m, MSG_CMSG_CLOEXEC);
}
