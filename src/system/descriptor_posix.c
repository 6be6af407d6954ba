/* Descriptors whose flags are set after they were created. */
#include "system/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool set_up(int fd, bool blocking)
{
    return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && (blocking || fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
}

static void close_keeping_errno(int fd)
{
    int saved = errno;
    (void)close(fd);
    errno = saved;
}

int p3_descriptor_socket(int family)
{
    int fd = socket(family, SOCK_STREAM, 0);
    if (fd < 0 || set_up(fd, false))
        return fd;
    close_keeping_errno(fd);
    return -1;
}

bool p3_descriptor_pipe(int ends[2], bool blocking)
{
    if (pipe(ends) != 0)
        return false;
    if (set_up(ends[0], blocking) && set_up(ends[1], blocking))
        return true;
    close_keeping_errno(ends[0]);
    close_keeping_errno(ends[1]);
    return false;
}
