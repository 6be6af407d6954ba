/* Messages with descriptors, over the sockets of packet_socket_linux.c or its twin. */
#include "system/packet.h"

#include "system/packet_socket.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

/* Room for the descriptors of a message. */
typedef union p3_control {
    struct cmsghdr header;
    char room[CMSG_SPACE(P3_PACKET_DESCRIPTORS * sizeof(int))];
} p3_control;

/* Padding leaves room for one more: everything that arrives must fit. */
_Static_assert((sizeof(p3_control) - CMSG_LEN(0)) / sizeof(int) <= P3_PACKET_ROOM,
               "more descriptors may come than there is room for");

int p3_packet_send(int fd, const void *data, size_t len, const int *fds, int count)
{
    p3_control control = {.room = {0}};
    struct iovec octets = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};
    struct msghdr m = {.msg_iov = &octets, .msg_iovlen = 1};
    size_t size = (size_t)count * sizeof(int);
    if (count > 0) {
        m.msg_control = &control;
        m.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(c), fds, size);
    }
    ssize_t sent;
    while ((sent = sendmsg(fd, &m, MSG_NOSIGNAL)) < 0 && errno == EINTR)
        continue;
    return sent < 0 ? errno : 0;
}

ssize_t p3_packet_receive(int fd, void *data, size_t size, int fds[P3_PACKET_ROOM], int *count)
{
    p3_control control;
    struct iovec octets = {.iov_base = data, .iov_len = size};
    struct msghdr m = {.msg_iov = &octets,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    ssize_t n;
    *count = 0;
    while ((n = p3_packet_recvmsg(fd, &m)) < 0 && errno == EINTR)
        continue;
    const struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
    if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
        *count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fds, CMSG_DATA(c), (size_t)*count * sizeof(int));
    }
    return n;
}
