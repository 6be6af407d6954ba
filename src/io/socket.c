/* Sockets: non-blocking, close-on-exec, and writes that never raise SIGPIPE. */
#include "io/socket.h"

#include "system/descriptor.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

void p3_socket_prepare(int fd, int family)
{
    int on = 1;
#ifdef SO_NOSIGPIPE
    (void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
    if (family !=
        AF_UNIX) /* best effort: commands are written completely, so there is nothing to collect */
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int p3_socket(int family)
{
    int fd = p3_descriptor_socket(family);
    if (fd >= 0)
        p3_socket_prepare(fd, family);
    return fd;
}

ssize_t p3_recv(int fd, void *buffer, size_t len)
{
    ssize_t n;
    do
        n = recv(fd, buffer, len, 0);
    while (n < 0 && errno == EINTR);
    return n;
}

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* systems without it have SO_NOSIGPIPE */
#endif

ssize_t p3_send(int fd, const void *data, size_t len)
{
    ssize_t n;
    do
        n = send(fd, data, len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n;
}

void p3_close(int *fd)
{
    if (*fd < 0)
        return;
    int saved = errno;
    (void)close(*fd); /* nothing is buffered here that closing could lose */
    errno = saved;
    *fd = -1;
}
