/* Messages between processes: sockets and received descriptors are made close-on-exec afterwards.
 * Not every system has SOCK_SEQPACKET for AF_UNIX (macOS does not): it has no runner. */
#include "system/packet_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool p3_packet_pair(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0)
        return false;
    if (fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 && fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0)
        return true;
    int saved = errno;
    (void)close(ends[0]);
    (void)close(ends[1]);
    errno = saved;
    return false;
}

ssize_t p3_packet_recvmsg(int fd, struct msghdr *m)
{
    ssize_t n = recvmsg(fd, m, 0);
    const struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(m) : NULL;
    if (c == NULL || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
        return n;
    size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
        int got;
        memcpy(&got, CMSG_DATA(c) + i * sizeof got, sizeof got);
        (void)fcntl(got, F_SETFD, FD_CLOEXEC);
    }
    return n;
}
