/* Plain descriptors: non-blocking, closed on exec, and writes that never raise SIGPIPE. */
#define _GNU_SOURCE /* pipe2(), SOCK_NONBLOCK, SOCK_CLOEXEC */
#include "io/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

int p3_socket(int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int on = 1;
#ifdef SO_NOSIGPIPE
    (void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
    if (family != AF_UNIX) /* best effort: commands are written whole, there is nothing to gather */
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

void p3_acknowledge(int fd)
{
#ifdef TCP_QUICKACK
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
#else
    (void)fd;
#endif
}

bool p3_pipe(int ends[2])
{
    return pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0;
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
